"""Evaluations that go on and those that have ended, in the reader's words (pure)."""

from collections.abc import Mapping, Sequence
from html import escape

from contracts.evaluation import EvaluationReport, EvaluationRequest
from contracts.job import Job, JobState
from ui.proof.words import percent, scrolled, span, table_html
from ui.texts import Texts

MINUTE = 60
STAGES = ("prepare", "ask", "judge", "publish")
# Each form of the style prompt is tried on each selection question; each item is asked twice.
FORMS, PROBE_ITEMS = 3, 72


def job_html(texts: Texts, job: Job | None) -> str:
    """Return how far an evaluation is, or why it ended."""
    if job is None:
        return f'<p class="ts-faint ts-p-empty">{escape(texts("prove.no_job"))}</p>'
    return (
        f'<div class="ts-run"><h4><span class="ts-state ts-is-{job.state}">'
        f"{escape(texts(f'run.{job.state}'))}</span> <code>{escape(job.id)}</code></h4>"
        f"{bar_html(job)}{told_html(texts, job)}</div>"
    )


def bar_html(job: Job) -> str:
    """Return how far it is as a bar; its figures stand below in words."""
    if job.state.final or not job.progress.total:
        return ""
    done = min(job.progress.done / job.progress.total, 1.0)
    return f'<span class="ts-bar" aria-hidden="true"><i style="width:{done:.1%}"></i></span>'


def told_html(texts: Texts, job: Job) -> str:
    """Return the stage, how many replies there are, and what went wrong."""
    said = []
    if not job.state.final:
        stage = job.progress.stage
        known = texts(f"prove.stage_{stage}") if stage in STAGES else stage
        if job.progress.total and stage in ("ask", "judge"):
            known = texts(
                "prove.step", stage=known, done=job.progress.done, total=job.progress.total
            )
        said.append(known or texts("prove.waits"))
        said += [texts("prove.about", time=time) for time in left_text(texts, job)]
    elif job.state is JobState.DONE:
        verdict = str(job.result.get("verdict") or "")
        said.append(
            texts("prove.ended", verdict=texts.table.get(f"report.{verdict}", verdict))
            if verdict
            else texts("prove.ended_plain")
        )
    if job.error:
        said += [texts("problem.detail", detail=job.error.message), job.error.hint or ""]
    if job.state in (JobState.FAILED, JobState.CANCELLED, JobState.INCOMPLETE):
        said.append(texts("prove.resumable"))
    return "".join(f"<p>{escape(one)}</p>" for one in said if one)


def left_text(texts: Texts, job: Job) -> list[str]:
    """Return how long it takes yet, at the pace so far; nothing while that cannot be told."""
    progress = job.progress
    seconds = (job.updated_at - job.created_at).total_seconds()
    if job.state is not JobState.RUNNING or progress.stage != "ask" or progress.done < 10:
        return []
    if seconds <= 0 or job.attempts > 1:
        return []
    return [time_text(texts, seconds * (progress.total - progress.done) / progress.done)]


def time_text(texts: Texts, seconds: float) -> str:
    """Return how long something takes, in words."""
    minutes = round(seconds / MINUTE)
    return texts("prove.minutes", count=minutes) if minutes > 0 else texts("prove.soon")


def list_html(
    texts: Texts, reports: Sequence[EvaluationReport] | None, jobs: Sequence[Job] | None
) -> str:
    """Return past evaluations with their verdict, and jobs that made none."""
    title = f"<h3>{escape(texts('prove.past'))}</h3>"
    known = {report.id for report in reports or ()}
    rest = [job for job in jobs or () if job.id not in known and job.state is not JobState.DONE]
    rows = [(one.created_at, job_row(texts, one)) for one in rest]
    rows += [(one.created_at, report_row(texts, one)) for one in reports or ()]
    if not rows:
        return f'{title}<p class="ts-faint ts-p-empty">{escape(texts("prove.none"))}</p>'
    columns = ("when", "model", "dataset", "verdict", "strength", "questions")
    heads = [texts(f"prove.{key}") for key in columns]
    newest = [row for _, row in sorted(rows, key=lambda row: row[0], reverse=True)]
    return title + scrolled(texts("prove.past"), table_html(heads, newest))


def report_row(texts: Texts, report: EvaluationReport) -> list[str]:
    """Return a published evaluation as cells."""
    tuned = report.contestants.get("tuned")
    share = f"<b>{percent(tuned.accuracy)}</b>" if tuned else ""
    interval = f" <small>{span(tuned.accuracy_interval)}</small>" if tuned else ""
    verdict = escape(texts(f"report.{report.verdict}"))
    return [
        f"{report.created_at:%Y-%m-%d %H:%M}",
        f"<code>{escape(report.request.tuned)}</code>",
        f"<code>{escape(report.request.dataset_id)}</code>",
        f'<span class="ts-p-pill ts-is-{report.verdict}">{verdict}</span>',
        share + interval,
        str(tuned.replies if tuned else 0),
    ]


def job_row(texts: Texts, job: Job) -> list[str]:
    """Return an evaluation that made no report, or none yet, as cells."""
    state = escape(texts(f"run.{job.state}"))
    return [
        f"{job.created_at:%Y-%m-%d %H:%M}",
        f"<code>{escape(str(job.request.get('tuned') or ''))}</code>",
        f"<code>{escape(str(job.request.get('dataset_id') or ''))}</code>",
        f'<span class="ts-state ts-is-{job.state}">{state}</span>',
        "",
        "",
    ]


def choices_of(texts: Texts, reports: Sequence[EvaluationReport]) -> list[tuple[str, str]]:
    """Return what the picker of evaluations offers."""
    return [
        (
            texts(
                "prove.choice",
                model=one.request.tuned,
                when=f"{one.created_at:%m-%d %H:%M}",
                verdict=texts(f"report.{one.verdict}"),
            ),
            one.id,
        )
        for one in reports
    ]


def replies_asked(request: EvaluationRequest, styles: int) -> int:
    """Return how many replies an evaluation asks for at most, with those that choose prompts."""
    rivals = 2 + request.prompted + len(request.models)
    held = min(request.conversations, request.per_style)
    each = rivals * (request.per_style + held * (request.turns - 1))
    each += FORMS * request.prompt_questions if request.prompted else 0
    return styles * each + (PROBE_ITEMS if request.probe else 0)


def pace_of(jobs: Sequence[Job]) -> float | None:
    """Return the seconds a reply took in the last evaluation that went through in one go."""
    for job in jobs:
        seconds = (job.updated_at - job.created_at).total_seconds()
        if job.state is JobState.DONE and job.progress.total and seconds > 0 and job.attempts <= 1:
            return seconds / job.progress.total
    return None


def cost_html(texts: Texts, request: EvaluationRequest, styles: int, jobs: Sequence[Job]) -> str:
    """Return what an evaluation will ask, and about how long it takes."""
    if not styles:
        return ""
    count = replies_asked(request, styles)
    said = texts("prove.cost", count=count, styles=styles)
    pace = pace_of(jobs)
    if pace is None:
        said += texts("prove.pace_unknown")
    else:
        said += texts("prove.pace", time=time_text(texts, pace * count))
    if request.judge:
        said += texts("prove.cost_judge")
    return f'<p class="ts-faint">{escape(said)}</p>'


def ended(jobs: Sequence[Job] | None) -> frozenset[str]:
    """Return the evaluations that were published."""
    return frozenset(job.id for job in jobs or () if job.state is JobState.DONE)


def orders_of(job: Job | None) -> Mapping[str, bool]:
    """Return what can be ordered of a job now."""
    going = job is not None and not job.state.final
    again = job is not None and job.state.final and job.state is not JobState.DONE
    done = job is not None and job.state is JobState.DONE
    return {"cancel": going, "resume": again, "open": done}
