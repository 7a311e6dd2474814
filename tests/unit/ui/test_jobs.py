"""Long jobs that a page finds again."""

import pytest

from contracts.job import JobState
from fakes.clock import FakeClock
from fakes.page_jobs import job
from fakes.stack import Stack
from ui.errors import ProblemError
from ui.upstream.backend import Backend
from ui.upstream.jobs import FRESH_SECONDS, JOBS_SHOWN, JobWatch, Watched, choose


@pytest.fixture
def clock() -> FakeClock:
    """The time."""
    return FakeClock()


@pytest.fixture
def watch(backend: Backend, clock: FakeClock) -> JobWatch:
    """Follows the jobs of the stand-in that make datasets."""
    return JobWatch(backend.datasets.jobs, clock)


async def test_job_that_goes_on_is_found_without_its_name(watch: JobWatch, stack: Stack) -> None:
    """A page that was reloaded knows nothing, and follows it all the same."""
    stack.dataset_jobs = [job("new", JobState.DONE), job("long", age=60)]
    found = await watch.watched()
    assert found.chosen == stack.dataset_jobs[1]
    assert (await watch.watched("new")).chosen == stack.dataset_jobs[0]
    assert (await watch.watched("gone")).chosen == stack.dataset_jobs[1]


async def test_many_pages_cost_one_call(watch: JobWatch, stack: Stack, clock: FakeClock) -> None:
    """An answer is shared for a moment, unless somebody has just told a job something."""
    stack.dataset_jobs = [job("a")]
    assert (await watch.watched()).chosen
    stack.dataset_jobs = []
    assert (await watch.watched("other")).jobs
    watch.stale()
    assert await watch.watched() == Watched(jobs=())
    stack.dataset_jobs = [job("b")]
    clock.now += FRESH_SECONDS
    assert (await watch.watched()).jobs


async def test_service_that_is_away_takes_nothing_from_the_page(
    watch: JobWatch, stack: Stack, clock: FakeClock
) -> None:
    """What was known stays, with why it may be old; once it is back, all is new."""
    stack.datagen_up = False
    never = await watch.watched()
    assert never.jobs is None
    assert never.problem
    stack.datagen_up, stack.dataset_jobs = True, [job("a")]
    clock.now += FRESH_SECONDS
    known = await watch.watched()
    stack.datagen_up = False
    clock.now += FRESH_SECONDS
    away = await watch.watched("a")
    assert (away.jobs, away.chosen) == (known.jobs, known.chosen)
    assert away.problem
    assert away.problem.kind == "busy"
    stack.datagen_up, stack.dataset_jobs = True, [job("a", JobState.DONE)]
    clock.now += FRESH_SECONDS
    assert (await watch.watched()).problem is None


async def test_list_is_bounded_and_a_picked_job_is_found_beyond_it(
    watch: JobWatch, stack: Stack
) -> None:
    """Nobody reads two hundred lines."""
    stack.dataset_jobs = [job(f"j-{number}", JobState.DONE, number) for number in range(100)]
    found = await watch.watched("j-99")
    assert found.jobs == tuple(stack.dataset_jobs[:JOBS_SHOWN])
    assert found.chosen == stack.dataset_jobs[99]


async def test_jobs_are_cancelled_and_resumed(backend: Backend, stack: Stack) -> None:
    """By their name, which is never a path; what cannot be done is refused."""
    jobs = backend.datasets.jobs
    stack.dataset_jobs = [job("a")]
    assert (await jobs.cancel("a")).state is JobState.CANCELLED
    assert (await jobs.resume("a")).state is JobState.QUEUED
    assert (await jobs.get("a")).state is JobState.QUEUED
    with pytest.raises(ProblemError) as caught:
        await jobs.resume("a")
    assert caught.value.values["status"] == 409
    with pytest.raises(ProblemError) as caught:
        await jobs.cancel("../evaluations")
    assert caught.value.values["status"] == 404


@pytest.mark.parametrize(
    ("states", "picked", "chosen"),
    [
        ("done running done", "", 1),
        ("queued queued running", "", 2),
        ("queued queued done", "", 1),
        ("done failed", "", 0),
        ("done running", "j-0", 0),
        ("", "j-0", None),
    ],
)
def test_what_goes_on_is_followed_unless_one_is_picked(
    states: str, picked: str, chosen: int | None
) -> None:
    """Else the next of those that wait, else the newest."""
    jobs = [job(f"j-{number}", JobState(state)) for number, state in enumerate(states.split())]
    assert choose(jobs, picked) is (None if chosen is None else jobs[chosen])
