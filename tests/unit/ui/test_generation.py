"""Generations are started, and followed, in the reader's words."""

from datetime import timedelta

import pytest

from contracts.errors import ErrorBody
from contracts.job import JobState, Progress
from contracts.sample import RejectReason
from fakes.clock import FakeClock
from fakes.page_stack_data import generating, refused_rows, shipped_estimate
from fakes.stack import Stack
from ui.dataset.generation import Generation, Started
from ui.dataset.generation_form import BUDGET, digest_of, request_of
from ui.dataset.generation_pace import POINTS_KEPT, Pace
from ui.dataset.generation_progress import (
    job_html,
    job_label,
    reasons_html,
    reasons_of,
    style_rows,
    styles_html,
)
from ui.dataset.generation_watch import EXAMPLES_READ, FRESH_SECONDS, GenerationWatch
from ui.dataset.generation_words import duration_text, estimate_html, plan_html, short_count
from ui.texts import texts_in
from ui.upstream.backend import Backend
from ui.upstream.jobs import JobWatch

ZH, EN = texts_in("zh"), texts_in("en")
REQUEST = request_of({"styles": ["gentle", "tsundere"], "per_style": 50})


@pytest.fixture
def clock() -> FakeClock:
    """The time."""
    return FakeClock()


@pytest.fixture
def generation(backend: Backend, clock: FakeClock) -> Generation:
    """Asks the stand-in."""
    return Generation(backend.datasets, JobWatch(backend.datasets.jobs, clock))


async def test_two_clicks_are_one_job_and_the_same_form_again_later_is_another(
    generation: Generation, stack: Stack
) -> None:
    """Once the first has ended, whoever starts the same again means it."""
    first = (await generation.start(EN, REQUEST, Started())).started
    second = (await generation.start(EN, REQUEST, Started())).started
    third = (await generation.start(EN, REQUEST, second)).started
    assert first.job == second.job == third.job
    ended = stack.dataset_jobs[0].model_copy(update={"state": JobState.DONE})
    stack.dataset_jobs[0] = ended
    generation.jobs.stale()
    again = (await generation.start(EN, REQUEST, third)).started
    assert again.job != first.job
    assert (await generation.start(EN, REQUEST, again)).started.job == again.job
    assert len(stack.dataset_jobs) == 2


async def test_refusal_goes_to_the_field_that_it_names(
    generation: Generation, stack: Stack
) -> None:
    """With the service's way out; what is no field's fault goes beside the buttons."""
    stack.dataset_refusal = ErrorBody(
        code="x", message="<b>no</b> such style", field="styles", hint="GET /styles"
    )
    begun = await generation.start(EN, REQUEST, Started())
    assert begun.problem
    field, html = begun.problem
    assert field == "styles"
    assert "&lt;b&gt;no&lt;/b&gt; such style GET /styles" in html
    stack.datagen_up = False
    begun = await generation.start(EN, REQUEST, Started())
    assert begun.problem
    assert begun.problem[0] == ""
    assert "ts-notice" in begun.problem[1]


async def test_budget_is_held_against_the_estimate(generation: Generation, stack: Stack) -> None:
    """An estimate of this very form is not asked for again."""
    within = await generation.within(EN, REQUEST, 1.0, None)
    assert within.estimate == stack.estimate
    assert within.problem is None
    known = (digest_of(REQUEST), stack.estimate)
    stack.datagen_up = False
    over = await generation.within(EN, REQUEST, 0.1, known)
    assert over.problem
    assert over.problem[0] == BUDGET
    assert "$0.42" in over.problem[1]
    unpriced = stack.estimate.model_copy(update={"dollars": None})
    told = (await generation.within(EN, REQUEST, 9.0, (known[0], unpriced))).problem
    assert told
    assert EN("generate.cannot_price") in told[1]
    stale = await generation.within(EN, REQUEST, 9.0, ("other", stack.estimate))
    assert stale.estimate is None
    assert stale.problem


async def test_question_sets_are_offered_if_anybody_tells(
    generation: Generation, stack: Stack
) -> None:
    """Else the bank alone."""
    assert await generation.question_sets() == {}
    stack.datagen_up = False
    assert await generation.question_sets() == {}


def test_estimate_is_told_with_what_it_rests_on() -> None:
    """And that it is of an earlier form, where it is."""
    told = estimate_html(EN, shipped_estimate(), budget=5)
    for words in (
        "teacher-large",
        "412.0k",
        "$0.42",
        "$12.50",
        "about 25 min",
        "first exchanges",
    ):
        assert words in told
    assert "$5.00" in told
    assert EN("generate.stale") not in told
    bare = shipped_estimate().model_copy(update={"dollars": None, "budget_left": None})
    told = estimate_html(ZH, bare, stale=True)
    assert ZH("generate.no_prices") in told
    assert ZH("generate.no_budget") in told
    assert ZH("generate.stale") in told


def test_rows_are_counted_before_anybody_is_asked() -> None:
    """Without a choice, of every style."""
    assert "100 rows" in plan_html(EN, REQUEST, 12)
    assert "1,200 rows" in plan_html(EN, request_of({}), 12)
    assert EN("generate.incomplete") in plan_html(EN, None, 12)


def test_figures_are_said_as_people_say_them() -> None:
    """Short."""
    assert [short_count(n) for n in (12, 1234, 2_500_000)] == ["12", "1.2k", "2.5M"]
    assert duration_text(EN, 30) == EN("generate.soon")
    assert duration_text(EN, 3700) == "about 1 h 1 min"


def test_pace_is_of_what_was_told_lately() -> None:
    """A job that stands still, or begins again, has no pace; nothing grows without end."""
    pace, job = Pace(), generating("j", {"gentle": 10}, age=100)
    pace.note(job)
    assert pace.rows_per_second(job) == pytest.approx(0.1, rel=0.01)
    for number in range(1, POINTS_KEPT + 9):
        moved = {"done": 10 + number, "total": 200}
        told = job.model_copy(
            update={
                "updated_at": job.updated_at + timedelta(seconds=2 * number),
                "progress": Progress(stage="generate", **moved),
            }
        )
        pace.note(told)
    assert pace.rows_per_second(told) == pytest.approx(0.5, rel=0.01)
    assert pace.seconds_left(told) == pytest.approx((200 - told.progress.done) / 0.5, rel=0.01)
    assert len(pace.known["j"]) == POINTS_KEPT
    pace.note(told.model_copy(update={"progress": Progress(stage="settle", done=1, total=2)}))
    assert pace.seconds_left(told) is None


def test_each_style_and_each_reason_is_told() -> None:
    """By name, with its quota; what comes from outside is never HTML."""
    job = generating("j", {"gentle": 40, "<i>": 8})
    assert [(row.style, row.accepted, row.rejected) for row in style_rows(job)] == [
        ("gentle", 40, 10),
        ("<i>", 8, 2),
    ]
    table = styles_html(EN, job, {"gentle": "Gentle"})
    assert "40 / 50" in table
    assert "Gentle" in table
    assert "&lt;i&gt;" in table
    assert reasons_of(job)[0] == ("near_duplicate", 7)
    told = reasons_html(EN, job, refused_rows(RejectReason.ASSISTANT_VOICE))
    assert EN("data.reason.assistant_voice") in told
    assert told.count("<blockquote>") == 2
    assert "<b>2</b>" not in told.split("<blockquote>")[1]
    assert styles_html(EN, generating("j", {"a": 0}, progress=Progress()), {}) == ""


@pytest.mark.parametrize("state", list(JobState))
@pytest.mark.parametrize("texts", [ZH, EN])
def test_every_end_has_its_words(state: JobState, texts: object) -> None:
    """With its numbers, and why it failed."""
    error = ErrorBody(code="budget_spent", message="spent <all>", hint="raise it")
    job = generating("j", {"gentle": 40}, state=state, error=error)
    told = job_html(texts, job, 0.5, 300)  # type: ignore[arg-type]
    assert "40" in told
    assert "spent &lt;all&gt;" in told
    assert "raise it" in told
    assert "j · " in job_label(texts, job)  # type: ignore[arg-type]


async def test_examples_are_asked_for_now_and_then(
    backend: Backend, stack: Stack, clock: FakeClock
) -> None:
    """A journal is read for them; a service that is away takes none."""
    watch = GenerationWatch(backend.datasets, JobWatch(backend.datasets.jobs, clock), clock)
    rows = refused_rows(RejectReason.ECHO, EXAMPLES_READ + 20)
    stack.rejected = {"j": rows}
    few, more = generating("j", {"gentle": 40}), generating("j", {"gentle": 48})
    assert await watch.examples(few) == tuple(rows[:EXAMPLES_READ])
    stack.rejected = {}
    assert len(await watch.examples(more)) == EXAMPLES_READ
    clock.now += FRESH_SECONDS
    stack.datagen_up = False
    assert len(await watch.examples(more)) == EXAMPLES_READ
    assert await watch.examples(generating("k", {"gentle": 0})) == ()
