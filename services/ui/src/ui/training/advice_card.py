"""The advisor's proposal: what it would do, why, and what stands against it (pure)."""

from html import escape

from contracts.advice import Advice, Reason, RowsVerdict
from contracts.gpu import GpuReport
from ui.texts import Texts
from ui.training.run_memory import planned_html
from ui.training.run_words import said

MOST = 20


def advice_html(texts: Texts, advice: Advice, gpus: GpuReport | None) -> str:
    """Return the proposal with its reasons."""
    reasons = "".join(reason_html(texts, reason) for reason in advice.reasons[:MOST])
    warnings = "".join(
        f"<li>{escape(said(texts, warning))}</li>" for warning in advice.warnings[:MOST]
    )
    return (
        f'<section class="ts-advice"><h3>{escape(texts("advice.title"))}</h3>'
        f'<p class="ts-faint">{escape(texts("advice.taken"))}</p><dl>{reasons}</dl>'
        + (warnings and f'<ul class="ts-advice-doubts">{warnings}</ul>')
        + planned_html(texts, advice.fit, gpus)
        + rows_html(texts, advice.rows)
        + "</section>"
    )


def reason_html(texts: Texts, reason: Reason) -> str:
    """Return one choice, its value, and the sentence that explains it."""
    name = texts.table.get(f"advice.{reason.choice}", reason.choice)
    value = texts.table.get(f"run.{reason.value}", reason.value)
    return (
        f"<div><dt>{escape(name)} <b>{escape(value)}</b></dt>"
        f"<dd>{escape(said(texts, reason.why))}</dd></div>"
    )


def rows_html(texts: Texts, rows: RowsVerdict) -> str:
    """Return whether the rows are enough, and the runs that this rests on."""
    needed = (
        f" {escape(texts('advice.rows_needed', rows=rows.rows_needed))}" if rows.rows_needed else ""
    )
    points = "".join(
        f"<tr><td>{point.rows}</td><td>{point.eval_loss:.4f}</td>"
        f"<td><code>{escape(point.run_id)}</code></td></tr>"
        for point in rows.points[:MOST]
    )
    head = "".join(
        f'<th scope="col">{escape(texts(f"advice.{key}"))}</th>'
        for key in ("point_rows", "point_loss", "point_run")
    )
    table = (
        f'<table class="ts-run-small"><thead><tr>{head}</tr></thead><tbody>{points}</tbody></table>'
    )
    return (
        f'<h4>{escape(texts("advice.rows"))}</h4><p class="ts-verdict ts-is-{rows.verdict}">'
        f"<strong>{escape(texts(f'advice.rows_{rows.verdict}'))}</strong>{needed}</p>"
        f'<p class="ts-faint">{escape(said(texts, rows.why))}</p>' + (table if points else "")
    )
