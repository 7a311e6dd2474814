"""Evaluations that go on, those of before, and what a new one asks."""

from datetime import timedelta

from contracts.errors import ErrorBody
from contracts.evaluation import EvaluationRequest
from contracts.job import Job, JobState, Progress
from fakes.library import shipped_styles
from fakes.page_jobs import job
from fakes.page_stack_prove import proven
from ui.proof.evaluation_list import (
    choices_of,
    cost_html,
    ended,
    job_html,
    list_html,
    orders_of,
    pace_of,
    replies_asked,
)
from ui.texts import texts_in

EN = texts_in("en")


def done_in(seconds: float, total: int) -> Job:
    """Return an evaluation that asked `total` replies in so many seconds."""
    made = job("eval-old", JobState.DONE, 900, progress=Progress(done=total, total=total))
    return made.model_copy(update={"updated_at": made.created_at + timedelta(seconds=seconds)})


def test_number_of_replies_is_said_beforehand() -> None:
    """First questions, later turns, the choice of prompts, and the probe."""
    plain = EvaluationRequest(
        dataset_id="d", per_style=10, turns=1, prompted=False, probe=False, conversations=2
    )
    assert replies_asked(plain, 3) == 3 * 2 * 10
    asked = {"prompted": True, "turns": 3, "probe": True}
    assert replies_asked(plain.model_copy(update=asked), 3) == 3 * (3 * (10 + 4) + 12) + 72


def test_time_is_that_of_the_last_evaluation() -> None:
    """Where there was one, in one go; nothing is made up."""
    request = EvaluationRequest(dataset_id="d")
    assert pace_of([done_in(60, 120)]) == 0.5
    assert EN("prove.minutes", count=4) in cost_html(EN, request, 5, [done_in(60, 120)])
    resumed = done_in(60, 120).model_copy(update={"attempts": 2})
    assert EN("prove.pace_unknown").strip() in cost_html(EN, request, 5, [resumed])
    assert cost_html(EN, request, 0, []) == ""
    judged = request.model_copy(update={"judge": True})
    assert EN("prove.cost_judge").strip() in cost_html(EN, judged, 5, [])


def test_job_says_how_far_it_is_and_what_can_be_ordered() -> None:
    """Running, done, failed: each with its own buttons."""
    running = job("eval-1", progress=Progress(stage="ask", done=30, total=120))
    assert "30 / 120" in job_html(EN, running)
    assert "width:25.0%" in job_html(EN, running)
    assert orders_of(running) == {"cancel": True, "resume": False, "open": False}
    failed = running.model_copy(
        update={"state": JobState.FAILED, "error": ErrorBody(code="x", message="<b>no", hint="go")}
    )
    page = job_html(EN, failed)
    assert "&lt;b&gt;no" in page
    assert EN("prove.resumable") in page
    assert orders_of(failed) == {"cancel": False, "resume": True, "open": False}
    done = done_in(60, 120).model_copy(update={"result": {"verdict": "took"}})
    assert EN("report.took") in job_html(EN, done)
    assert orders_of(done)["open"]
    assert EN("prove.no_job") in job_html(EN, None)
    assert not any(orders_of(None).values())


def test_list_holds_reports_and_what_made_none() -> None:
    """An evaluation that failed is there too; one that is done is there once."""
    report = proven(shipped_styles())
    jobs = [
        job("eval-failed", JobState.FAILED, request={"tuned": "<i>x"}),
        job(report.id, JobState.DONE),
    ]
    page = list_html(EN, [report], jobs)
    assert page.count("<tr>") == 3
    assert "&lt;i&gt;x" in page
    assert EN("report.took") in page
    assert EN("prove.none") in list_html(EN, [], [])
    assert choices_of(EN, [report])[0][1] == report.id
    assert ended(jobs) == {report.id}
