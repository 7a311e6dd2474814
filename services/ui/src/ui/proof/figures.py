"""What the replies measure, style by style and turn by turn, with intervals (pure)."""

from collections.abc import Callable, Sequence
from html import escape

from contracts.evaluation import EvaluationReport
from contracts.interval import Interval
from contracts.proof import ContestantFigures, Figure
from ui.proof.plot import SHARES, Dot, Scale, interval_rows, key_mark, turns_chart
from ui.proof.words import (
    Names,
    bits_html,
    gap,
    kind_of,
    percent,
    points,
    ranked,
    section,
    share_html,
    span,
    who,
)
from ui.texts import Texts

WHOLE = Interval(low=0.0, high=1.0)
Pick = Callable[[ContestantFigures], Figure | None]
# What is shown of each style: shares from 0 to 1, and naturalness in bits a sign.
MEASURES: tuple[tuple[str, Pick], ...] = (
    ("strength", lambda one: one.strength),
    ("on_topic", lambda one: one.on_topic),
    ("natural", lambda one: one.surprisal),
    ("sound", lambda one: one.defect_free),
)


def figures_of(report: EvaluationReport) -> list[ContestantFigures]:
    """Return the figures of a report; an old one has shares of two contestants only."""
    if report.figures:
        return report.figures
    found = []
    for score in report.styles:
        for name, value, interval in (
            ("tuned", score.tuned_accuracy, score.tuned_interval),
            ("base", score.base_accuracy, score.base_interval),
        ):
            known = Figure(value=value, interval=interval or WHOLE, count=score.replies)
            found.append(
                ContestantFigures(
                    contestant=name, style=score.id, strength=known, accuracy=known,
                    defect_free=known, distinct_1=known, distinct_2=known, characters=known,
                )
            )  # fmt: skip
    return found


def styles_html(texts: Texts, report: EvaluationReport, names: Names) -> str:
    """Return strength, relevance, naturalness and soundness of each style, one to unfold each."""
    figures = figures_of(report)
    shown = MEASURES if report.figures else MEASURES[:1]
    folds = [fold_html(texts, report, names, name, by_style(figures, pick)) for name, pick in shown]
    floor = texts("report.floor", value=percent(report.random_accuracy))
    note = texts("report.styles_note") + (floor if report.random_accuracy else "")
    return section(texts("report.styles"), note, legend_html(texts, report) + "".join(folds))


def by_style(figures: Sequence[ContestantFigures], pick: Pick) -> dict[str, dict[str, Figure]]:
    """Return one measure by style and contestant; what was not measured is left out."""
    found: dict[str, dict[str, Figure]] = {}
    for one in figures:
        if (figure := pick(one)) is not None:
            found.setdefault(one.style, {})[one.contestant] = figure
    return found


def fold_html(
    texts: Texts,
    report: EvaluationReport,
    names: Names,
    measure: str,
    rows: dict[str, dict[str, Figure]],
) -> str:
    """Return one measure of every style as a table with a picture in each row."""
    if not rows:
        return ""
    shares = measure != "natural"
    highest = max(figure.interval.high for row in rows.values() for figure in row.values())
    scale = SHARES if shares else Scale(0.0, 1.08 * highest)
    line = report.random_accuracy or None if measure == "strength" else None
    body = "".join(
        row_html(texts, report, row, title=names.get(style, style), scale=scale, line=line)
        if style
        else row_html(texts, report, row, title=texts("report.all"), scale=scale, line=line)
        for style, row in rows.items()
    )
    heads = ["report.style", "report.picture"]
    top = "".join(f'<th scope="col">{escape(texts(key))}</th>' for key in heads)
    top += "".join(
        f'<th scope="col">{escape(who(texts, name))}</th>' for name in columns(report, rows)
    )
    note = escape(texts(f"report.{measure}_note"))
    return (
        f'<details class="ts-p-measure"{" open" if measure == "strength" else ""}>'
        f"<summary>{escape(texts(f'report.{measure}'))} <small>{note}</small></summary>"
        f'<table class="ts-p-table ts-p-by-style"><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></details>"
    )


def columns(report: EvaluationReport, rows: dict[str, dict[str, Figure]]) -> list[str]:
    """Return the contestants that have such a figure, as they are ranked."""
    known = {name for row in rows.values() for name in row}
    return [name for name in ranked(report) if name in known]


def row_html(
    texts: Texts,
    report: EvaluationReport,
    row: dict[str, Figure],
    *,
    title: str,
    scale: Scale,
    line: float | None,
) -> str:
    """Return one style: its name, the picture, and the figures in words."""
    said = share_html if scale is SHARES else bits_html
    shown = [name for name in ranked(report) if name in row]
    dots = [dot_of(texts, report, name, row[name], scale) for name in shown]
    cells = "".join(
        f'<td data-label="{escape(who(texts, name))}">{said(row[name])}</td>' for name in shown
    )
    return (
        f'<tr><th scope="row">{escape(title)}</th>'
        f'<td class="ts-p-picture">{interval_rows(dots, scale, line)}</td>{cells}</tr>'
    )


def dot_of(
    texts: Texts, report: EvaluationReport, name: str, figure: Figure, scale: Scale = SHARES
) -> Dot:
    """Return a contestant's figure as a dot."""
    low, high = figure.interval.low, figure.interval.high
    shares = f"{percent(figure.value)} ({span(figure.interval)})"
    said = shares if scale is SHARES else f"{figure.value:.1f} ({low:.1f} – {high:.1f})"
    return Dot(kind_of(report, name), who(texts, name), figure.value, low, high, said)


def legend_html(texts: Texts, report: EvaluationReport) -> str:
    """Return whose mark is whose."""
    items = "".join(
        f"<li>{key_mark(kind_of(report, name))}{escape(who(texts, name))}</li>"
        for name in ranked(report)
    )
    return f'<ul class="ts-p-keys">{items}</ul>'


def drift_html(texts: Texts, report: EvaluationReport) -> str:
    """Return how the style holds over the turns of a conversation."""
    found = {one.contestant: one for one in report.drift}
    shown = [name for name in ranked(report) if name in found]
    if not shown:
        return section(texts("report.drift"), texts("report.no_drift"), "")
    chart = turns_chart(
        [[dot_of(texts, report, name, turn) for turn in found[name].turns] for name in shown]
    )
    said = "".join(
        f"<li>{key_mark(kind_of(report, name))}{escape(who(texts, name))} "
        f"<b>{escape(texts(f'report.{found[name].verdict}'))}</b> <small>"
        + escape(
            texts(
                "report.slope",
                value=points(found[name].slope.value),
                span=gap(found[name].slope.interval),
            )
        )
        + "</small></li>"
        for name in shown
    )
    body = f'{chart}<p class="ts-faint ts-p-axis">{escape(texts("report.turn"))}</p>'
    body += f'<ul class="ts-p-keys">{said}</ul>'
    return section(texts("report.drift"), texts("report.drift_note"), body)
