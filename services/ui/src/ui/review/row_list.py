"""The rows of a review as HTML: one line for each in a list, and each row whole (pure).

Every row of a page is there at once, so that going from one to the next asks nobody; the script
of the sheet shows the one that is looked at.
"""

from collections.abc import Mapping
from html import escape

from contracts.review import ReviewRow
from ui.review.view import View
from ui.texts import Texts

MARKS = {"open": "○", "accepted": "✓", "rejected": "✕"}
LINE_CHARACTERS = 90
Names = Mapping[str, str]


def list_html(texts: Texts, view: View, names: Names, scope: str) -> str:
    """Return the list of a page's rows, and the way to the pages beside it.

    Args:
        texts: the words.
        view: what was seen.
        names: of the styles.
        scope: changes with the filter, so that a selection does not outlive it.
    """
    page = view.page
    if not view.dataset:
        return no_dataset_html(texts)
    if page is None:
        return unopened_html(texts) if view.unopened else ""
    if not page.rows:
        return f'<p class="ts-review-none">{escape(texts("review.nothing"))}</p>'
    goto = "" if view.goto is None else f' data-goto="{view.goto}"'
    lines = "".join(line_html(texts, row, names) for row in page.rows)
    return (
        f'<ol class="ts-review-rows" aria-label="{escape(texts("review.rows"))}" '
        f'data-serial="{view.serial}" data-scope="{escape(scope)}"{goto} tabindex="-1">{lines}</ol>'
        + pages_html(texts, view.offset, len(page.rows), page.total)
    )


def unopened_html(texts: Texts) -> str:
    """Return how to begin."""
    return (
        f'<div class="ts-review-start"><p>{escape(texts("review.unopened"))}</p>'
        f'<button type="button" class="ts-review-go" data-order=\'{{"do":"open"}}\'>'
        f"{escape(texts('review.open'))}</button></div>"
    )


def line_html(texts: Texts, row: ReviewRow, names: Names) -> str:
    """Return one line: what was decided, what was asked, what was answered, what is odd."""
    number = row.number
    picked = escape(texts("review.pick", number=number + 1))
    badges = "".join(f"<em>{escape(text)}</em>" for text in badges_of(texts, row))
    state = texts(f"review.decision.{row.decision}")
    return (
        f'<li class="ts-is-{row.decision}" data-number="{number}">'
        f'<input type="checkbox" class="ts-review-pick" aria-label="{picked}">'
        f'<button type="button" class="ts-review-line">'
        f'<span class="ts-review-mark" title="{escape(state)}" aria-hidden="true">'
        f'{MARKS[row.decision]}</span><span class="ts-review-away">{escape(state)}</span>'
        f"<span><b>{escape(shortened(row.question))}</b>"
        f'<span class="ts-review-said">{escape(shortened(row.reply) or "—")}</span>'
        f"<small>{escape(names.get(row.style, row.style))}{badges}</small></span></button></li>"
    )


def badges_of(texts: Texts, row: ReviewRow) -> list[str]:
    """Return what is worth knowing of a row before it is read."""
    found = []
    if row.reason is not None:
        found.append(texts(f"review.reason.{row.reason.value}"))
    if row.edit is not None:
        found.append(texts(f"review.edited.{row.edit}"))
    if row.note:
        found.append(texts("review.noted"))
    return found


def pages_html(texts: Texts, offset: int, shown: int, total: int) -> str:
    """Return where in all rows the page is, and the buttons to its neighbours."""
    where = texts("review.where", first=offset + 1, last=offset + shown, total=total)
    back = page_button(texts("review.back"), -1, off=offset == 0)
    on = page_button(texts("review.on"), 1, off=offset + shown >= total)
    return f'<div class="ts-review-pages">{back}<span>{escape(where)}</span>{on}</div>'


def page_button(words: str, by: int, *, off: bool) -> str:
    """Return the button to another page."""
    disabled = " disabled" if off else ""
    return (
        f'<button type="button" data-page="{by}" '
        f'data-order=\'{{"do":"page","by":{by}}}\'{disabled}>{escape(words)}</button>'
    )


def whole_html(texts: Texts, view: View, names: Names) -> str:
    """Return every row of the page whole; the script shows one of them."""
    rows = view.page.rows if view.page else []
    return "".join(row_html(texts, row, names) for row in rows)


def row_html(texts: Texts, row: ReviewRow, names: Names) -> str:
    """Return a row whole: what was said before, question, reply, and what is against it."""
    said = [(turn.user, turn.assistant) for turn in row.history]
    turns = "".join(turn_html(texts, *turn) for turn in [*said, (row.question, row.reply)])
    spoken = f' lang="{"zh-CN" if row.language == "zh" else "en"}"' if row.language else ""
    return (
        f'<article class="ts-review-row" data-number="{row.number}" '
        f'data-row="{escape(row.id)}" hidden>{head_html(texts, row, names)}'
        f"{against_html(texts, row)}<div{spoken}>{turns}</div>{original_html(texts, row)}"
        f"{note_html(texts, row)}</article>"
    )


def head_html(texts: Texts, row: ReviewRow, names: Names) -> str:
    """Return which row it is."""
    spoken = texts(f"review.language.{row.language}") if row.language else ""
    facts = [
        names.get(row.style, row.style),
        spoken,
        row.situation or "",
        texts("review.characters", count=row.characters),
        texts("review.uncertainty", percent=round(row.uncertainty * 100)),
    ]
    items = "".join(f"<li>{escape(fact)}</li>" for fact in facts if fact)
    return (
        f"<h3>{escape(texts('review.row', number=row.number + 1))} "
        f'<span class="ts-review-state ts-is-{row.decision}">{MARKS[row.decision]} '
        f"{escape(texts(f'review.decision.{row.decision}'))}</span></h3><ul>{items}</ul>"
    )


def against_html(texts: Texts, row: ReviewRow) -> str:
    """Return why a gate refused the row, or which one was nearest to it."""
    if row.reason is not None:
        why = texts("review.refused", gate=texts(f"review.reason.{row.reason.value}"))
        detail = f" <small>{escape(row.detail)}</small>" if row.detail else ""
        return f'<p class="ts-review-against">{escape(why)}{detail}</p>'
    if not row.cause:
        return ""
    near = texts("review.near", gate=cause_words(texts, row.cause))
    return f'<p class="ts-review-near">{escape(near)}</p>'


def cause_words(texts: Texts, cause: str) -> str:
    """Return what the nearest gate looks at; a new one goes by its own name."""
    key = f"review.cause.{cause}"
    return texts(key) if key in texts.table else cause


def turn_html(texts: Texts, question: str, reply: str) -> str:
    """Return one exchange."""
    return (
        f'<div class="ts-review-turn"><p class="ts-review-user"><span class="ts-review-away">'
        f"{escape(texts('review.asks'))}</span>{escape(question)}</p>"
        f'<p class="ts-review-reply"><span class="ts-review-away">{escape(texts("review.answers"))}'
        f"</span>{escape(reply) or '—'}</p></div>"
    )


def original_html(texts: Texts, row: ReviewRow) -> str:
    """Return the reply as it was before somebody changed it."""
    if row.original is None:
        return ""
    who = texts(f"review.edited.{row.edit}") if row.edit else ""
    return (
        f"<details><summary>{escape(texts('review.before'))} · {escape(who)}</summary>"
        f"<p>{escape(row.original) or '—'}</p></details>"
    )


def note_html(texts: Texts, row: ReviewRow) -> str:
    """Return what somebody noted."""
    if not row.note:
        return ""
    forced = f" · {texts('review.forced')}" if row.forced else ""
    return (
        f'<p class="ts-review-note">{escape(texts("review.note") + forced)}: {escape(row.note)}</p>'
    )


def shortened(text: str) -> str:
    """Return the start of a text, in one line."""
    line = " ".join(text.split())
    return line if len(line) <= LINE_CHARACTERS else line[: LINE_CHARACTERS - 1] + "…"


def no_dataset_html(texts: Texts) -> str:
    """Return what a sheet says before a dataset is picked."""
    return f'<p class="ts-review-none">{escape(texts("review.no_dataset"))}</p>'
