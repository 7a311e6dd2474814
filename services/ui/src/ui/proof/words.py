"""How the figures of a proof are said: contestants, styles, shares, intervals (pure)."""

from collections.abc import Mapping, Sequence
from html import escape

from contracts.evaluation import EvaluationReport
from contracts.interval import Interval
from contracts.proof import Figure
from contracts.style import Style
from ui.texts import Texts

KINDS = ("base", "prompted", "tuned")
# So many marks can be told apart by shape and colour.
MARKS = 6
UNKNOWN = "–"
Names = Mapping[str, str]


def style_names(texts: Texts, styles: Sequence[Style]) -> dict[str, str]:
    """Return the names of styles by id, in the reader's language."""
    return {one.id: getattr(one.names, texts.language) or one.id for one in styles}


def who(texts: Texts, name: str) -> str:
    """Return how a contestant is called; a further model goes by its served name."""
    return texts(f"report.{name}") if name in KINDS else name


def kind_of(report: EvaluationReport, name: str) -> int:
    """Return the number of a contestant's mark, the same wherever it is shown."""
    if name in KINDS:
        return KINDS.index(name)
    further = [one for one in report.contestants if one not in KINDS]
    return (len(KINDS) + further.index(name) if name in further else len(KINDS)) % MARKS


def ranked(report: EvaluationReport) -> list[str]:
    """Return the contestants as they are ranked, else tuned, prompted, base, the others."""
    places = {rank.contestant: rank.place for rank in report.ranking}
    usual = [*reversed(KINDS), *(one for one in report.contestants if one not in KINDS)]
    known = [name for name in usual if name in report.contestants]
    return sorted(known, key=lambda name: places.get(name, len(usual)))


def percent(value: float) -> str:
    """Return a share in percent."""
    return f"{value:.0%}"


def points(value: float) -> str:
    """Return a difference of shares in points, always with its sign."""
    return f"{100 * value:+.0f}".replace("-", "−")


def span(interval: Interval | None) -> str:
    """Return an interval of a share; nothing where it is not known."""
    return f"{interval.low:.0%} – {interval.high:.0%}" if interval else ""


def gap(interval: Interval) -> str:
    """Return an interval of a difference, in points."""
    return f"{points(interval.low)} … {points(interval.high)}"


def share_html(figure: Figure | None) -> str:
    """Return a share with its interval, small below it."""
    if figure is None:
        return UNKNOWN
    return f"<b>{percent(figure.value)}</b> <small>{escape(span(figure.interval))}</small>"


def bits_html(figure: Figure | None) -> str:
    """Return a figure that is no share, with its interval."""
    if figure is None:
        return UNKNOWN
    low, high = figure.interval.low, figure.interval.high
    return f"<b>{figure.value:.1f}</b> <small>{low:.1f} – {high:.1f}</small>"


def section(title: str, note: str, body: str, *, name: str = "") -> str:
    """Return a part of a report under its heading; `body` is HTML."""
    told = f'<p class="ts-faint">{escape(note)}</p>' if note else ""
    mark = f' id="{name}"' if name else ""
    return f'<section class="ts-proof"{mark}><h3>{escape(title)}</h3>{told}{body}</section>'


def scrolled(label: str, table: str) -> str:
    """Return a table in a box of its own, which a wide one scrolls in; also by keyboard."""
    return (
        f'<div class="ts-p-scroll" tabindex="0" role="region" aria-label="{escape(label)}">'
        f"{table}</div>"
    )


def table_html(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; heads are text, cells are HTML, the first cell names its row."""
    top = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    body = "".join(
        f'<tr><th scope="row">{first}</th>' + "".join(f"<td>{cell}</td>" for cell in rest) + "</tr>"
        for first, *rest in rows
    )
    return f'<table class="ts-p-table"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>'
