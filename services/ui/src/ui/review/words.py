"""What stands around the rows of a review: counts, keys, what was done, what waits (pure)."""

import json
from collections.abc import Sequence
from html import escape

from contracts.job import Job, JobState
from contracts.quality import Explanation, GateReading
from contracts.review import ReviewRow
from ui.review.filters import situation_of
from ui.review.row_list import MARKS
from ui.review.view import Bulk, Told, View, newest_step
from ui.service_notices import service_html
from ui.texts import Texts

# The keys in the order of the bar, by the word beside each; "?" opens the list of all.
BAR = (
    ("k", "previous"),
    ("j", "next"),
    ("a", "accept"),
    ("r", "reject"),
    ("e", "edit"),
    ("g", "regenerate"),
    ("u", "undo"),
    ("w", "why"),
    ("?", "help"),
)
BULK = (("A", "accept"), ("R", "reject"), ("G", "regenerate"), ("O", "reopen"))
HELP = (*BAR[:-1], ("o", "reopen"), ("x", "select"), ("/", "search"), ("⇧A ⇧R ⇧O ⇧G", "bulk"))
JOBS_SHOWN = 3


def counts_html(texts: Texts, view: View) -> str:
    """Return how far the review is, as numbers and as a bar."""
    if view.review is None:
        return ""
    counts = view.review.counts
    parts = {name: getattr(counts, name) for name in ("accepted", "rejected", "open")}
    whole = max(1, counts.rows)
    bar = "".join(
        f'<i class="ts-is-{name}" style="width:{100 * value / whole:.2f}%"></i>'
        for name, value in parts.items()
    )
    listed = "".join(
        f"<li><span aria-hidden='true'>{MARKS[name]}</span> "
        f"{escape(texts(f'review.decision.{name}'))} <b>{value:,}</b></li>"
        for name, value in parts.items()
    )
    more = [texts("review.kept", count=f"{counts.kept:,}", rows=f"{counts.rows:,}")]
    if counts.edited:
        more.append(texts("review.edited_rows", count=f"{counts.edited:,}"))
    return (
        f'<div class="ts-review-counts"><div class="ts-review-bar" aria-hidden="true">{bar}</div>'
        f"<ul>{listed}</ul><p>{escape(' · '.join(more))}</p></div>"
    )


def bar_html(texts: Texts, view: View) -> str:
    """Return the keys as buttons, and the buttons for the rows that are selected."""
    if view.page is None:
        return ""
    step = newest_step(view.steps)
    hints = {"undo": step_words(texts, step.action, step.rows) if step else ""}
    keys = "".join(key_html(texts, key, name, hints.get(name, "")) for key, name in BAR)
    bulk = "".join(key_html(texts, key, name) for key, name in BULK)
    every = texts("review.all_that_match", count=view.page.total)
    none, some = (escape(texts(f"review.{name}_picked")) for name in ("none", "some"))
    whole = escape(texts("review.all_picked", count=view.page.total))
    return (
        f'<div class="ts-review-keys" role="toolbar" aria-label="{escape(texts("review.keys"))}">'
        f'{keys}</div><div class="ts-review-bulk" role="group" '
        f'aria-label="{escape(texts("review.bulk"))}">'
        f'<label><input type="checkbox" id="review-pick-all"> {escape(texts("review.page"))}'
        f'</label><button type="button" data-press="all">{escape(every)}</button>'
        f'<span id="review-picked" aria-live="polite" data-none="{none}" data-some="{some}" '
        f'data-all="{whole}"></span>{bulk}</div>'
    )


def key_html(texts: Texts, key: str, name: str, hint: str = "") -> str:
    """Return a button with its key."""
    shown = f"⇧{key}" if key.isalpha() and key.isupper() else key.upper()
    title = f' title="{escape(hint)}"' if hint else ""
    return (
        f'<button type="button" data-press="{escape(key)}" class="ts-press-{name}"{title}>'
        f"{escape(texts(f'review.do.{name}'))} <kbd>{escape(shown)}</kbd></button>"
    )


def step_words(texts: Texts, action: str, rows: int) -> str:
    """Return what an undo would take back."""
    key = f"review.step.{action}"
    return texts(key, rows=rows) if key in texts.table else f"{action}: {rows}"


def help_html(texts: Texts) -> str:
    """Return the list of all keys; the script shows and hides it."""
    rows = "".join(
        f"<dt><kbd>{escape(key.upper() if len(key) == 1 else key)}</kbd></dt>"
        f"<dd>{escape(texts(f'review.help.{name}'))}</dd>"
        for key, name in HELP
    )
    return (
        f'<section id="review-keys-list" class="ts-review-help" hidden aria-label="'
        f'{escape(texts("review.keys"))}"><h3>{escape(texts("review.keys"))}</h3><dl>{rows}</dl>'
        f"<p>{escape(texts('review.help_more'))}</p></section>"
    )


def told_html(texts: Texts, view: View) -> str:
    """Return what was done, what was left, why something failed, and what waits for a yes."""
    done = said_html(texts, view.told) if view.told else ""
    return done + service_html(texts, view.problem) + bulk_html(texts, view.bulk)


def said_html(texts: Texts, told: Told) -> str:
    """Return a sentence, and the rows that were left as they were."""
    left = [
        texts("review.left", reason=reason_words(texts, reason), count=count)
        for reason, count in told.refused.items()
    ]
    sentence = " ".join([texts(told.key, **told.values), *left])
    kind = "ts-review-wrong" if told.wrong else "ts-review-done"
    return f'<p class="{kind}" role="status">{escape(sentence)}</p>'


def reason_words(texts: Texts, reason: str) -> str:
    """Return a reason in words; a new one goes by its own name."""
    key = f"review.reason.{reason}"
    return texts(key) if key in texts.table else reason


def bulk_html(texts: Texts, bulk: Bulk | None) -> str:
    """Return the question whether to change many rows, with their number."""
    if bulk is None:
        return ""
    key = "review.sure" if bulk.total else "review.sure_none"
    asked = texts(key, what=texts(f"review.do.{bulk.action}"), count=f"{bulk.total:,}")
    yes = order_button(texts("review.yes"), "yes", primary=True) if bulk.total else ""
    return (
        f'<div class="ts-review-sure" role="alertdialog" aria-label="{escape(asked)}">'
        f"<p>{escape(asked)}</p>{yes}{order_button(texts('review.no'), 'no')}</div>"
    )


def order_button(words: str, do: str, *, primary: bool = False) -> str:
    """Return a button that sends an order."""
    kind = "ts-review-go" if primary else "ts-review-other"
    order = escape(json.dumps({"do": do}))
    return f'<button type="button" class="{kind}" data-order="{order}">{escape(words)}</button>'


def jobs_html(texts: Texts, jobs: Sequence[Job]) -> str:
    """Return how far the regenerations of a dataset are."""
    if not jobs:
        return ""
    items = "".join(job_html(texts, job) for job in jobs[:JOBS_SHOWN])
    return (
        f'<section class="ts-review-jobs"><h3>{escape(texts("review.jobs"))}</h3>'
        f"<ul>{items}</ul></section>"
    )


def job_html(texts: Texts, job: Job) -> str:
    """Return one regeneration: its state, its rows, what came of it."""
    progress = job.progress
    facts = [texts(f"review.job.{job.state.value}")]
    if progress.total:
        facts.append(f"{progress.done} / {progress.total}")
    if job.state.final and job.result:
        facts.append(texts("review.job_changed", count=job.result.get("changed", 0)))
        refused = job.result.get("refused")
        facts += [
            texts("review.left", reason=reason_words(texts, str(name)), count=count)
            for name, count in (refused.items() if isinstance(refused, dict) else ())
        ]
    if job.error:
        facts.append(job.error.message)
    order = escape(json.dumps({"do": "cancel", "key": job.id}))
    stop = (
        f' <button type="button" data-order="{order}">{escape(texts("review.job_stop"))}</button>'
    )
    state = "done" if job.state is JobState.DONE else "failed" if job.state.final else "running"
    words = escape(" · ".join(facts))
    ended = "" if job.state.final else stop
    return f'<li><span class="ts-state ts-is-{state}">{words}</span>{ended}</li>'


def why_html(texts: Texts, why: tuple[int, Explanation] | None) -> str:
    """Return what every gate reads off a row, beside its threshold."""
    if why is None:
        return ""
    number, found = why
    rows = "".join(reading_html(texts, one) for one in found.gates)
    heads = "".join(
        f'<th scope="col">{escape(texts(f"review.why.{name}"))}</th>'
        for name in ("gate", "verdict", "value", "limit")
    )
    title = escape(texts("review.why", number=number + 1))
    return (
        f'<section class="ts-review-why" data-number="{number}"><h3>{title}</h3>'
        f'<div class="ts-review-scroll" tabindex="0" role="region" aria-label="{title}">'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div></section>"
    )


def reading_html(texts: Texts, reading: GateReading) -> str:
    """Return one gate: what it says, its figure and its threshold, and what the row is like."""
    verdict = texts("review.why.refuses" if reading.refuses else "review.why.passes")
    mark = MARKS["rejected" if reading.refuses else "accepted"]
    kind = ' class="ts-is-rejected"' if reading.refuses else ""
    like = texts("review.why.like", row=reading.like) if reading.like else ""
    detail = " · ".join(filter(None, (reading.detail, like)))
    more = f"<small>{escape(detail)}</small>" if detail else ""
    return (
        f'<tr{kind}><th scope="row">{escape(reason_words(texts, reading.reason.value))}</th>'
        f"<td>{mark} {escape(verdict)} {more}</td><td>{figure(reading.value)}</td>"
        f"<td>{figure(reading.limit)}</td></tr>"
    )


def figure(value: float | None) -> str:
    """Return a figure in few digits; a dash where there is none."""
    return "–" if value is None else f"{value:,.0f}" if value == int(value) else f"{value:.2f}"


def edit_html(texts: Texts, row: ReviewRow) -> str:
    """Return the title of the box in which a reply is written."""
    title = escape(texts("review.editing", number=row.number + 1))
    return f'<h3 class="ts-review-editing">{title}</h3><p>{escape(row.question)}</p>'


def ending_html(texts: Texts, view: View) -> str:
    """Return what the next version would hold."""
    if view.review is None:
        return ""
    counts = view.review.counts
    told = texts("review.would", kept=f"{counts.kept:,}", accepted=f"{counts.accepted:,}")
    return f"<p>{escape(told)}</p>"


def situation_html(texts: Texts, situation: str) -> str:
    """Return the situation that the coverage map pointed at."""
    known = situation_of(situation)
    if not known:
        return ""
    where = " / ".join(known.values())
    return f'<p class="ts-review-chip">{escape(texts("review.situation", where=where))}</p>'
