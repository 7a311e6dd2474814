"""What our pages share: the templates, and how figures are written."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from contracts.interval import Interval
from contracts.proof import Figure
from contracts.style import Style
from datagen.words import named, say

TEMPLATES = Path(__file__).parent / "templates"
NONE = "\u2013"
# A thin space between figure and sign, as print does.
PERCENT = "\u202f%"


def render_page(template: str, **values: Any) -> str:
    """Return a page; every value that is no markup is escaped."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": percent,
        "strong": strong,
        "points": points,
        "span": span,
        "signed": signed,
        "within": within,
        "shares": shares,
        "number": number,
    }
    environment.globals |= {"w": say, "named": named}
    return environment.get_template(template).render(**values)


def percent(ratio: float | None) -> str:
    """Return a ratio as a whole percentage, `–` for None; only all is 100, only none is 0."""
    if ratio is None:
        return NONE
    whole = round(ratio * 100)
    if ratio < 1:
        whole = min(whole, 99)
    if ratio > 0:
        whole = max(whole, 1)
    return f"{whole}{PERCENT}"


def strong(ratio: float | None) -> Markup:
    """Return a percentage that stands out in a sentence."""
    return Markup("<strong>{}</strong>").format(percent(ratio))


def points(ratio: float) -> str:
    """Return a difference of ratios in percentage points, with its sign; no sign before 0."""
    text = f"{ratio * 100:+.0f}"
    return "0" if text[1:] == "0" else text.replace("-", "−")


def span(interval: Interval | None) -> str:
    """Return an interval as `93–98`, in percent without the sign."""
    return f"{interval.low * 100:.0f}–{interval.high * 100:.0f}" if interval else ""


def within(interval: Interval | None) -> Markup:
    """Return an interval in brackets, for a sentence."""
    text = Markup(' <span class="muted nowrap">({})</span>')
    return text.format(span(interval)) if interval else Markup("")


def shares(figure: Figure | None) -> str:
    """Return a share with its interval, `–` for None."""
    return f"{percent(figure.value)} ({span(figure.interval)})" if figure else NONE


def number(figure: Figure | None, digits: int = 2) -> str:
    """Return a figure that is no share with its interval, `–` for None."""
    if figure is None:
        return NONE
    low, high = figure.interval.low, figure.interval.high
    return f"{figure.value:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def signed(value: float | None) -> str:
    """Return a cosine with its sign and three digits, `–` for None."""
    return NONE if value is None else f"{value:+.3f}".replace("-", "−")


def mostly_chinese(styles: Sequence[Style]) -> bool:
    """Return whether the page opens in Chinese."""
    return sum(style.language == "zh" for style in styles) * 2 >= len(styles)
