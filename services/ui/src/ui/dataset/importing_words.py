"""A file that was brought, in the reader's words: its first rows, what is wrong where (pure)."""

from html import escape

from contracts.dataset import ImportPreview, PreviewedRow, RowProblem
from contracts.question_set import QuestionReason
from contracts.sample import RejectReason
from ui.dataset.importing import QUESTIONS, Imported
from ui.texts import Texts

LETTERS_SHOWN = 160
KNOWN = frozenset({reason.value for reason in (*RejectReason, *QuestionReason)})


def preview_html(texts: Texts, preview: ImportPreview, kind: str) -> str:
    """Return what an import would do: how many rows, the first of them, and the others."""
    refused = preview.rows - preview.accepted
    key = "importing.some" if refused else "importing.all"
    values = {"rows": preview.rows, "accepted": preview.accepted, "refused": refused}
    if not preview.accepted:
        key = "importing.nothing"
    return (
        f'<p class="ts-plan"><strong>{escape(texts(key, **values))}</strong></p>'
        + styles_html(texts, preview)
        + problems_html(texts, preview)
        + shown_html(texts, preview, kind)
    )


def styles_html(texts: Texts, preview: ImportPreview) -> str:
    """Return how many rows each style would have."""
    items = "".join(
        f"<li>{escape(texts('importing.of_style', style=style, count=count))}</li>"
        for style, count in preview.styles.items()
    )
    return f'<ul class="ts-facts">{items}</ul>' if items else ""


def problems_html(texts: Texts, preview: ImportPreview) -> str:
    """Return what would be left out, line by line, and why."""
    if not preview.problems:
        return ""
    keys = ("number", "why", "text")
    head = "".join(f'<th scope="col">{escape(texts(f"importing.{key}"))}</th>' for key in keys)
    body = "".join(problem_html(texts, one) for one in preview.problems)
    more = preview.rows - preview.accepted - len(preview.problems)
    rest = f"<p>{escape(texts('importing.more', count=more))}</p>" if more > 0 else ""
    return table_html(texts("importing.problems"), head, body) + rest


def problem_html(texts: Texts, problem: RowProblem) -> str:
    """Return a row that would be left out."""
    known = problem.reason in KNOWN
    why = texts(f"data.reason.{problem.reason}") if known else problem.reason
    detail = (
        f"<br><small>{escape(problem.detail[:LETTERS_SHOWN])}</small>" if problem.detail else ""
    )
    return (
        f'<tr><th scope="row">{problem.number}</th><td>{escape(why)}{detail}</td>'
        f"<td>{escape(problem.text[:LETTERS_SHOWN])}</td></tr>"
    )


def shown_html(texts: Texts, preview: ImportPreview, kind: str) -> str:
    """Return the first rows that would be imported."""
    if not preview.shown:
        return ""
    keys = ("number", "question") if kind == QUESTIONS else ("number", "style", "question", "reply")
    head = "".join(f'<th scope="col">{escape(texts(f"importing.{key}"))}</th>' for key in keys)
    body = "".join(row_html(row, kind) for row in preview.shown)
    return table_html(texts("importing.first"), head, body)


def row_html(row: PreviewedRow, kind: str) -> str:
    """Return a row that would be imported."""
    texts = [row.question] if kind == QUESTIONS else [row.style, row.question, row.reply]
    cells = "".join(f"<td>{escape(text[:LETTERS_SHOWN])}</td>" for text in texts)
    return f'<tr><th scope="row">{row.number}</th>{cells}</tr>'


def table_html(title: str, head: str, body: str) -> str:
    """Return a table that scrolls in its own box where it is wider than the page."""
    return (
        f'<div class="ts-wide" tabindex="0" role="region" aria-label="{escape(title)}">'
        f'<h3>{escape(title)}</h3><table class="ts-figures"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def imported_html(texts: Texts, done: Imported) -> str:
    """Return what an import made, and what comes next."""
    key = f"importing.made_{done.kind}" if done.made else "importing.made_nothing"
    values = {"id": done.made, "accepted": done.accepted, "refused": done.rejected}
    return (
        f'<div class="ts-notice" role="status"><strong>{escape(texts(key, **values))}</strong>'
        f"<p>{escape(texts('importing.counts', **values))}</p></div>"
    )
