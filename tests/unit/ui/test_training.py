"""What the page knows of the trainer's runs."""

import pytest

from contracts.run import RunRecord
from fakes.clock import FakeClock
from fakes.recorded_runs import FLAT, OVERFIT, recorded
from fakes.stack import Stack
from ui.training.source import FRESH_SECONDS, Training, TrainingSource, choose, latest
from ui.upstream.backend import Backend


@pytest.fixture
def clock() -> FakeClock:
    """The time."""
    return FakeClock()


@pytest.fixture
def source(backend: Backend, clock: FakeClock) -> TrainingSource:
    """Asks the stand-ins."""
    return TrainingSource(backend, clock)


def run(name: str, state: str) -> RunRecord:
    """Return a run in a state."""
    return recorded({"id": name, "state": state})


async def test_newest_run_comes_with_its_events(source: TrainingSource, stack: Stack) -> None:
    """Until somebody picks another one."""
    found = await source.training("")
    assert found.runs == tuple(stack.runs)
    assert found.chosen == stack.runs[0]
    assert found.events[-1].step == FLAT["step"]
    assert (await source.training(str(OVERFIT["id"]))).chosen == stack.runs[1]


async def test_trainer_that_is_down_is_no_error(
    source: TrainingSource, stack: Stack, clock: FakeClock
) -> None:
    """Nothing is known then; when it is back, everything is."""
    stack.trainer_up = False
    assert await source.training("") == Training()
    clock.now += FRESH_SECONDS
    stack.trainer_up = True
    assert (await source.training("")).runs


async def test_many_pages_cost_one_call(
    source: TrainingSource, stack: Stack, clock: FakeClock
) -> None:
    """An answer is shared for a moment; what nobody asked for lately is forgotten."""
    first = await source.training("")
    stack.runs = []
    assert await source.training("") is first
    for number in range(5):
        clock.now += FRESH_SECONDS
        await source.training(f"gone-{number}")
    assert len(source._found) == 1
    assert (await source.training("")).runs == ()


@pytest.mark.parametrize(
    ("states", "picked", "chosen"),
    [
        ("done running done", "", 1),
        ("queued queued running", "", 2),
        ("queued done", "", 1),
        ("queued", "", 0),
        ("done running", "r-0", 0),
        ("done running", "gone", 1),
        ("", "", None),
    ],
)
def test_run_that_goes_on_is_followed_unless_one_is_picked(
    states: str, picked: str, chosen: int | None
) -> None:
    """Else the newest that has begun; one that waits has nothing to show."""
    runs = tuple(run(f"r-{number}", state) for number, state in enumerate(states.split()))
    found = choose(runs, picked)
    assert found is (None if chosen is None else runs[chosen])


def test_long_queue_hides_nothing() -> None:
    """Of those that wait, the next ones are shown; of the others, the newest."""
    waiting = [run(f"w-{number}", "queued") for number in range(20)]
    ended = [run(f"e-{number}", "done") for number in range(20)]
    assert [each.id for each in latest([*waiting, *ended])][:4] == ["w-17", "w-18", "w-19", "e-0"]
    assert len(latest([*waiting, *ended])) == 11
