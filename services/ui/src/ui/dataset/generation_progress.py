"""A generation in the reader's words: how far, in which styles, and what was refused (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from contracts.job import Job, JobState
from contracts.sample import Rejected, RejectReason
from ui.dataset.generation import job_name
from ui.dataset.generation_words import dollars_text, duration_text
from ui.texts import Texts

REASONS_SHOWN, EXAMPLES_SHOWN, LETTERS_SHOWN = 8, 2, 160
REJECTED = "rejected_"
KNOWN_REASONS = frozenset(reason.value for reason in RejectReason)
STAGES = frozenset({"generate", "settle", "publish"})


@dataclass(frozen=True)
class StyleRows:
    """What became of the rows of one style."""

    style: str
    accepted: int = 0
    rejected: int = 0
    given_up: int = 0


def style_rows(job: Job) -> list[StyleRows]:
    """Return what became of each style's rows; nothing of a job that does not tell."""
    figures = job.progress.figures
    asked = [str(name) for name in as_list(job.request.get("styles"))]
    told = {name.split("/", 1)[1] for name in figures if "/" in name}
    found = []
    for style in [*asked, *sorted(told - set(asked))] if told else []:
        counts = {
            what: int(figures.get(f"{what}/{style}", 0))
            for what in ("accepted", "rejected", "given_up")
        }
        found.append(StyleRows(style, **counts))
    return found


def as_list(value: object) -> Sequence[object]:
    """Return a list that a request holds, empty where it holds none."""
    return value if isinstance(value, list) else []


def reasons_of(job: Job) -> list[tuple[str, int]]:
    """Return why rows were refused, and how often: the most frequent first."""
    found = [
        (name.removeprefix(REJECTED), int(count))
        for name, count in job.progress.figures.items()
        if name.startswith(REJECTED) and count
    ]
    return sorted(found, key=lambda one: -one[1])


def job_html(texts: Texts, job: Job, pace: float | None, seconds: float | None) -> str:
    """Return one generation: its state, how far it is, and what it cost.

    Args:
        texts: the words.
        job: the generation.
        pace: rows a second, if known.
        seconds: how long it takes yet, if known.
    """
    facts = facts_of(texts, job, pace, seconds)
    known = "".join(
        f"<dt>{escape(texts(key))}</dt><dd>{escape(value)}</dd>"
        for key, value in facts.items()
        if value
    )
    return (
        f'<div class="ts-job"><h3>{state_html(texts, job)} {escape(job_name(job))}</h3>'
        f"<code>{escape(job.id)}</code>{bar_html(texts, job)}"
        f"<p>{escape(sentence(texts, job))}</p>{error_html(texts, job)}<dl>{known}</dl></div>"
    )


def facts_of(texts: Texts, job: Job, pace: float | None, seconds: float | None) -> dict[str, str]:
    """Return the figures of a generation; those that nobody knows are empty."""
    figures = job.progress.figures
    cost, left = figures.get("dollars"), figures.get("budget_left")
    refused = sum(count for _, count in reasons_of(job))
    return {
        "running.pace": texts("running.per_minute", rows=f"{pace * 60:.3g}") if pace else "",
        "running.left": duration_text(texts, seconds) if seconds is not None else "",
        "running.calls": f"{int(figures['teacher_calls']):,}" if "teacher_calls" in figures else "",
        "running.refused": f"{refused:,}" if refused else "",
        "running.given_up": f"{int(given):,}" if (given := figures.get("given_up", 0)) else "",
        "running.cost": dollars_text(cost) if cost is not None else texts("running.no_prices"),
        "running.budget": dollars_text(left) if left is not None else "",
    }


def state_html(texts: Texts, job: Job) -> str:
    """Return the state with its colour and its word."""
    word = escape(texts(f"running.state.{job.state.value}"))
    return f'<span class="ts-state ts-is-{job.state.value}">{word}</span>'


def bar_html(texts: Texts, job: Job) -> str:
    """Return how far a generation is, as a bar that is read aloud, too."""
    done, total = job.progress.done, job.progress.total
    share = min(done / total, 1.0) if total else 0.0
    return (
        f'<div class="ts-meter" role="progressbar" aria-valuemin="0" aria-valuemax="{total}" '
        f'aria-valuenow="{done}" aria-label="{escape(texts("running.accepted"))}">'
        f'<i style="width:{share:.1%}"></i></div>'
    )


def sentence(texts: Texts, job: Job) -> str:
    """Return in one sentence how a generation is."""
    progress = job.progress
    values = {"done": f"{progress.done:,}", "total": f"{progress.total:,}"}
    if job.state is JobState.RUNNING and progress.stage in STAGES:
        return texts(f"running.stage.{progress.stage}", **values)
    if job.state in (JobState.QUEUED, JobState.RUNNING):
        return texts("running.waits")
    return texts(f"running.ended.{job.state.value}", **values)


def error_html(texts: Texts, job: Job) -> str:
    """Return why a generation failed, in the service's words, and what to do."""
    if job.error is None:
        return ""
    said = "".join(f"<p>{escape(one)}</p>" for one in (job.error.message, job.error.hint) if one)
    return (
        f'<div class="ts-notice" role="status"><strong>{escape(texts("running.failed"))}</strong>'
        f"{said}</div>"
    )


def styles_html(texts: Texts, job: Job, names: Mapping[str, str]) -> str:
    """Return the styles as a table; `names` are theirs in the reader's language, by id."""
    rows = style_rows(job)
    if not rows:
        return ""
    quota = int(str(job.request.get("per_style") or 0))
    keys = ("style", "accepted", "rejected", "given_up")
    head = "".join(f'<th scope="col">{escape(texts(f"running.{key}"))}</th>' for key in keys)
    body = "".join(style_html(row, quota, names.get(row.style, row.style)) for row in rows)
    title = escape(texts("running.styles"))
    return (
        f'<div class="ts-wide" tabindex="0" role="region" aria-label="{title}"><h3>{title}</h3>'
        f'<table class="ts-figures"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        "</div>"
    )


def style_html(row: StyleRows, quota: int, name: str) -> str:
    """Return the row of a style."""
    share = min(row.accepted / quota, 1.0) if quota else 0.0
    return (
        f'<tr><th scope="row">{escape(name)}</th><td class="ts-filled"><span class="ts-bar" '
        f'aria-hidden="true"><i style="width:{share:.1%}"></i></span>'
        f"<span>{row.accepted:,} / {quota:,}</span></td>"
        f"<td>{row.rejected:,}</td><td>{row.given_up:,}</td></tr>"
    )


def reasons_html(texts: Texts, job: Job, examples: Sequence[Rejected]) -> str:
    """Return why rows were refused: how often, in plain words, with a few of them."""
    found = reasons_of(job)
    if not found:
        return ""
    most = found[0][1]
    items = "".join(
        reason_html(texts, reason, count, most, examples) for reason, count in found[:REASONS_SHOWN]
    )
    more = len(found) - REASONS_SHOWN
    rest = f"<p>{escape(texts('running.more_reasons', count=more))}</p>" if more > 0 else ""
    return (
        f"<h3>{escape(texts('running.reasons'))}</h3>"
        f'<p class="ts-faint">{escape(texts("running.reasons_hint"))}</p>'
        f'<ul class="ts-reasons">{items}</ul>{rest}'
    )


def reason_html(
    texts: Texts, reason: str, count: int, most: int, examples: Sequence[Rejected]
) -> str:
    """Return one reason with its bar, and the newest rows that were refused for it, folded."""
    name = texts(f"data.reason.{reason}") if reason in KNOWN_REASONS else reason
    shown = [row for row in reversed(examples) if row.reason == reason][:EXAMPLES_SHOWN]
    quotes = "".join(example_html(texts, row) for row in shown)
    told = (
        f"<details><summary>{escape(texts('running.examples'))}</summary>{quotes}</details>"
        if quotes
        else ""
    )
    return (
        f'<li data-reason="{escape(reason)}"><span>{escape(name)}</span><b>{count:,}</b>'
        f'<span class="ts-bar" aria-hidden="true"><i style="width:{count / most:.1%}"></i></span>'
        f"{told}</li>"
    )


def example_html(texts: Texts, row: Rejected) -> str:
    """Return a row that was refused: what was asked, what was said, and what is wrong with it."""
    detail = f"<small>{escape(row.detail[:LETTERS_SHOWN])}</small>" if row.detail else ""
    reply = row.reply[:LETTERS_SHOWN] or texts("running.no_reply")
    return (
        f"<blockquote><p>{escape(row.question[:LETTERS_SHOWN])}</p>"
        f"<p>{escape(reply)}</p>{detail}</blockquote>"
    )


def job_label(texts: Texts, job: Job) -> str:
    """Return the line of a generation in a picker: nothing in it changes while it goes on."""
    return f"{job.id} · {texts(f'running.state.{job.state.value}')}"


def none_html(texts: Texts) -> str:
    """Return what to do where nothing was generated yet."""
    return f'<p class="ts-faint">{escape(texts("running.none"))}</p>'
