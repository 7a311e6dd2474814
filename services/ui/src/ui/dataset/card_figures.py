"""The report card of a dataset in plain words: each number with what it means (pure)."""

import json
from collections.abc import Mapping, Sequence
from html import escape

from contracts.quality import Cluster, Finding, GateFigures, ReportCard, StyleFigures
from ui.texts import Texts

EXAMPLE_CHARACTERS = 160
CLUSTERS_SHOWN = 6
Names = Mapping[str, str]


def card_html(texts: Texts, card: ReportCard, names: Names) -> str:
    """Return the report card."""
    return (
        headline_html(texts, card)
        + gates_html(texts, card, names)
        + styles_html(texts, card.styles, names)
        + clusters_html(texts, card, names)
        + notes_html(texts, card)
    )


def headline_html(texts: Texts, card: ReportCard) -> str:
    """Return the few numbers that say most."""
    clean = round(100 * card.clean / card.rows) if card.rows else 0
    cells = [one.cells for one in card.coverage.balance.values()]
    even = round(100 * sum(one.evenness for one in cells) / len(cells)) if cells else None
    figures = [
        (f"{card.rows:,}", "rows"),
        (f"{clean}%", "clean"),
        (f"{card.clustered_rows:,}", "alike"),
        (f"{round(card.balance * 100)}%", "balance"),
        ("–" if even is None else f"{even}%", "spread"),
    ]
    items = "".join(
        f"<li><b>{escape(value)}</b><span>{escape(texts(f'report_card.{name}'))}</span>"
        f"<small>{escape(texts(f'report_card.{name}_means'))}</small></li>"
        for value, name in figures
    )
    return f'<ul class="ts-report-heads">{items}</ul>'


def gates_html(texts: Texts, card: ReportCard, names: Names) -> str:
    """Return every gate that has something against a row, the most first, with examples."""
    found = sorted((one for one in card.gates if one.flagged), key=lambda one: -one.flagged)
    passed = [texts(f"review.reason.{one.reason.value}") for one in card.gates if not one.flagged]
    items = "".join(gate_html(texts, one, names) for one in found)
    nothing = "" if found else f"<p>{escape(texts('report_card.spotless'))}</p>"
    fine = texts("report_card.fine", names=texts("coverage.separator").join(passed))
    rest = f'<p class="ts-faint">{escape(fine)}</p>' if passed else ""
    title = escape(texts("report_card.gates"))
    return f'<section class="ts-report-part"><h3>{title}</h3>{nothing}{items}{rest}</section>'


def gate_html(texts: Texts, gate: GateFigures, names: Names) -> str:
    """Return one gate: how many rows, what it means, which rows."""
    name = texts(f"review.reason.{gate.reason.value}")
    count = texts("report_card.flagged", count=f"{gate.flagged:,}", percent=f"{gate.ratio:.1%}")
    means = texts(f"report_card.why.{gate.reason.value}")
    width = max(0.5, min(100.0, gate.ratio * 100))
    return (
        f'<details class="ts-report-gate"><summary><b>{escape(name)}</b> '
        f'<span>{escape(count)}</span><i aria-hidden="true"><u style="width:{width:.1f}%"></u></i>'
        f"</summary><p>{escape(means)}</p>{examples_html(texts, gate.examples, names)}</details>"
    )


def examples_html(texts: Texts, found: Sequence[Finding], names: Names) -> str:
    """Return some rows, each with the way to it in the review."""
    items = ""
    for one in found:
        wanted = escape(json.dumps({"style": one.style, "text": line_of(one.question)}))
        detail = f"<small>{escape(one.detail)}</small>" if one.detail else ""
        items += (
            f"<li><p><b>{escape(shortened(one.question))}</b> {escape(shortened(one.reply))}</p>"
            f"<small>{escape(names.get(one.style, one.style))}</small> {detail} "
            f'<button type="button" class="ts-report-go" data-filter="{wanted}">'
            f"{escape(texts('report_card.show'))}</button></li>"
        )
    return f'<ul class="ts-report-examples">{items}</ul>' if items else ""


def styles_html(texts: Texts, styles: Sequence[StyleFigures], names: Names) -> str:
    """Return the styles as a table."""
    heads = ("style", "rows", "clean", "length", "voice")
    head = "".join(
        f'<th scope="col">{escape(texts(f"report_card.of.{one}"))}</th>' for one in heads
    )
    rows = ""
    for one in styles:
        clean = f"{one.clean / one.rows:.0%}" if one.rows else "–"
        voice = "–" if one.contrast is None else f"{one.contrast:+.2f}"
        size = f"{one.lengths.p5:.0f} – {one.lengths.median:.0f} – {one.lengths.p95:.0f}"
        rows += (
            f'<tr><th scope="row">{escape(names.get(one.id, one.id))}</th><td>{one.rows:,}</td>'
            f"<td>{clean}</td><td>{size}</td><td>{voice}</td></tr>"
        )
    title = escape(texts("report_card.styles"))
    return (
        f'<section class="ts-report-part"><h3>{title}</h3>'
        f'<div class="ts-review-scroll" tabindex="0" role="region" aria-label="{title}">'
        f'<table class="ts-report-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody>'
        f'</table></div><p class="ts-faint">{escape(texts("report_card.of.means"))}</p></section>'
    )


def clusters_html(texts: Texts, card: ReportCard, names: Names) -> str:
    """Return groups of rows that are nearly the same."""
    if not card.clusters:
        return ""
    items = "".join(cluster_html(texts, one, names) for one in card.clusters[:CLUSTERS_SHOWN])
    title = texts("report_card.clusters", count=card.clustered_rows)
    return f'<section class="ts-report-part"><h3>{escape(title)}</h3>{items}</section>'


def cluster_html(texts: Texts, cluster: Cluster, names: Names) -> str:
    """Return one group, with some of its rows."""
    styles = texts("coverage.separator").join(names.get(one, one) for one in cluster.styles)
    title = texts("report_card.cluster", count=cluster.rows, styles=styles)
    return (
        f'<details class="ts-report-gate"><summary>{escape(title)}</summary>'
        f"{examples_html(texts, cluster.examples, names)}</details>"
    )


def notes_html(texts: Texts, card: ReportCard) -> str:
    """Return languages, personal data and safety, where there is something to say."""
    spoken = [f"{language_words(texts, name)} {count:,}" for name, count in card.languages.items()]
    lines = [texts("report_card.languages", names=texts("coverage.separator").join(spoken))]
    for name, kinds in (("personal", card.personal_data), ("crisis", card.crisis)):
        listed = texts("coverage.separator").join(
            f"{kind} {count}" for kind, count in kinds.items()
        )
        if listed:
            lines.append(texts(f"report_card.{name}", names=listed))
    if card.masked:
        lines.append(texts("report_card.masked", count=card.masked))
    if card.safe_replies:
        lines.append(texts("report_card.safe", count=card.safe_replies))
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    title = escape(texts("report_card.more"))
    return f'<section class="ts-report-part"><h3>{title}</h3><ul>{items}</ul></section>'


def language_words(texts: Texts, name: str) -> str:
    """Return a language by its name; another one by its code."""
    key = f"review.language.{name}"
    return texts(key) if key in texts.table else name


def line_of(question: str) -> str:
    """Return the start of a question, by which the review finds its row."""
    return question.split("\n")[0][:EXAMPLE_CHARACTERS]


def shortened(text: str) -> str:
    """Return the start of a text, in one line."""
    line = " ".join(text.split())
    return line if len(line) <= EXAMPLE_CHARACTERS else line[: EXAMPLE_CHARACTERS - 1] + "…"
