"""The page's looks: colours and type in `theme.json`, layout in the sheets, the mark.

`style.css` and `figures.css` hold what tabs share, `<tab>.css` what one tab has alone, with its own
media queries; `narrow.css` comes last and outweighs them all on a small screen.

Everything is served from our own host: the page works without any network.
"""

import json
from pathlib import Path
from typing import Any

from gradio.themes import Base
from gradio.themes.utils import colors, fonts, sizes

FOLDER = Path(__file__).parent
FIRST, LAST = ("style.css", "figures.css"), ("narrow.css",)
FAVICON = FOLDER / "mark.svg"
PACKAGED_FONT = "Source Sans 3"
SHADES = ("c50", *(f"c{number}" for number in range(100, 1000, 100)), "c950")


def sheets() -> list[Path]:
    """Return the style sheets in the order in which they apply."""
    named = [FOLDER / name for name in (*FIRST, *LAST)]
    tabs = sorted(path for path in FOLDER.glob("*.css") if path not in named)
    return [*named[: len(FIRST)], *tabs, *named[len(FIRST) :]]


def theme() -> Base:
    """Return the Gradio theme that `theme.json` describes."""
    data: dict[str, Any] = json.loads((FOLDER / "theme.json").read_text(encoding="utf-8"))
    look = Base(
        primary_hue=as_color(data["primary"]),
        secondary_hue=as_color(data["primary"]),
        neutral_hue=as_color(data["neutral"]),
        radius_size=sizes.radius_md,
        text_size=sizes.text_md,
        font=[as_font(name) for name in data["font"]],
        font_mono=["ui-monospace", "DejaVu Sans Mono", "Noto Sans Mono CJK SC", "monospace"],
    )
    look.set(**data["variables"])
    return look


def as_color(shades: list[str]) -> colors.Color:
    """Return eleven shades, from the lightest to the darkest, as Gradio's colour."""
    return colors.Color(**dict(zip(SHADES, shades, strict=True)))


def as_font(name: str) -> fonts.Font:
    """Return a font of the reader's machine, or the one that Gradio's package carries."""
    return fonts.LocalFont(name) if name == PACKAGED_FONT else fonts.Font(name)


def mark() -> str:
    """Return the mark as inline SVG."""
    return FAVICON.read_text(encoding="utf-8")
