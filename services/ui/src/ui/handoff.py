"""A kind word and the helplines, under a reply, where a message speaks of self-harm (pure).

It is shown beside what the model says and never instead of it: the detector is a net with holes
(`kit.crisis`), and a person who is not in danger loses nothing by a few lines. Whom one can call
is data with a source and a date (`data/helplines.json`).
"""

from functools import cache
from html import escape
from pathlib import Path
from typing import Literal

from pydantic import Field, HttpUrl

from contracts.model import Authored
from contracts.style import Language
from kit.crisis import Kind, Screen, crisis_of, load_screens
from ui.texts import Texts

FILE = Path(__file__).parent / "data" / "helplines.json"
# Whose lines come first, by the language that the reader reads.
NEAREST: dict[Language, tuple[str, ...]] = {"zh": ("cn",), "en": ("us", "gb_ie")}


class Helpline(Authored):
    """Whom to call; `dial` is the number as a telephone takes it."""

    name: dict[Language, str]
    number: str
    dial: str = Field(pattern=r"^\+?\d+$")
    hours: Literal["always", "long_days", "weekdays"]
    kinds: list[Kind] = Field(min_length=1)
    source: str = Field(min_length=8)
    checked: str = Field(pattern=r"^\d{4}-\d\d-\d\d$")


class Region(Authored):
    """The lines of one part of the world, and the numbers of its emergency services."""

    region: str
    emergency: list[str] = Field(min_length=1)
    lines: list[Helpline]


class Directory(Authored):
    """A page that lists the lines of other countries."""

    name: dict[Language, str]
    url: HttpUrl
    source: str
    checked: str


class Helplines(Authored):
    """`data/helplines.json`."""

    about: str
    regions: list[Region]
    elsewhere: Directory


@cache
def helplines() -> Helplines:
    """Return whom one can call."""
    return Helplines.model_validate_json(FILE.read_text(encoding="utf-8"))


@cache
def screens() -> dict[Language, Screen]:
    """Return what tells a crisis, by language."""
    return load_screens()


def handoff_html(texts: Texts, said: str, language: str) -> str:
    """Return the kind word and the helplines, or nothing where nothing speaks of self-harm.

    Args:
        texts: the reader's words.
        said: what the person wrote.
        language: of the conversation; the other one is looked at as well.
    """
    asked: Language = "en" if language == "en" else "zh"
    kind = crisis_of(screens(), asked, [said])
    if kind is None:
        return ""
    known = helplines()
    near = NEAREST[texts.language]
    ordered = sorted(known.regions, key=lambda region: region.region not in near)
    regions = "".join(region_html(texts, region, kind) for region in ordered)
    checked = max(line.checked for region in known.regions for line in region.lines)
    return (
        f'<div class="ts-handoff" role="status"><strong>{escape(texts(f"handoff.{kind}"))}</strong>'
        f"<p>{escape(texts(f'handoff.{kind}_hint'))}</p>"
        f"<dl>{regions}{elsewhere_html(texts, known.elsewhere)}</dl>"
        f'<p class="ts-faint">{escape(texts("handoff.limits", date=checked))}</p></div>'
    )


def region_html(texts: Texts, region: Region, kind: Kind) -> str:
    """Return one region: its emergency numbers, then who listens."""
    numbers = " · ".join(call_html(number, number) for number in region.emergency)
    lines = [f"<dd><b>{escape(texts('handoff.emergency'))}</b> {numbers}</dd>"]
    lines += [line_html(texts, line) for line in region.lines if kind in line.kinds]
    return f"<dt>{escape(texts(f'region.{region.region}'))}</dt>{''.join(lines)}"


def line_html(texts: Texts, line: Helpline) -> str:
    """Return one line: who answers, under which number, and when."""
    hours = escape(texts(f"hours.{line.hours}"))
    name = escape(line.name[texts.language])
    return f"<dd>{name} {call_html(line.dial, line.number)} <small>{hours}</small></dd>"


def call_html(dial: str, number: str) -> str:
    """Return a number that a telephone calls when it is touched."""
    return f'<a href="tel:{escape(dial)}">{escape(number)}</a>'


def elsewhere_html(texts: Texts, directory: Directory) -> str:
    """Return where to look for lines of other countries."""
    url, name = escape(str(directory.url)), escape(directory.name[texts.language])
    link = f'<a href="{url}" target="_blank" rel="noreferrer noopener">{name}</a>'
    return f"<dt>{escape(texts('region.elsewhere'))}</dt><dd>{link}</dd>"
