"""How long a job may still take."""

import pytest

from contracts.job import Progress
from fakes.clock import FakeClock
from tonesmith.pace import Pace, span


def at(done: int, stage: str = "train", total: int = 100) -> Progress:
    """Return how far a job is."""
    return Progress(stage=stage, done=done, total=total)


def test_rest_is_guessed_from_the_steps_that_were_seen() -> None:
    """A job that is watched from step 50 on is timed from there."""
    clock = FakeClock()
    pace = Pace(clock)
    assert pace.seconds_left(at(50)) is None
    clock.now += 4
    assert pace.seconds_left(at(52)) is None
    clock.now += 16
    assert pace.seconds_left(at(60)) == pytest.approx(80)


def test_another_stage_or_a_step_back_starts_anew() -> None:
    """What was learned of one stage says nothing of the next."""
    clock = FakeClock()
    pace = Pace(clock)
    pace.seconds_left(at(0))
    clock.now += 10
    assert pace.seconds_left(at(10)) == pytest.approx(90)
    for other in (at(10, "export"), at(10), at(3), at(20, total=200)):
        assert pace.seconds_left(other) is None


def test_no_guess_where_the_end_is_unknown() -> None:
    """A total of nothing is passed by the first step; after the last one nothing is left."""
    pace = Pace(FakeClock())
    assert pace.seconds_left(at(0)) is None
    assert pace.seconds_left(at(100)) is None
    assert pace.seconds_left(at(0, total=0)) is None
    assert pace.seconds_left(at(9, total=0)) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.4, "59 s"), (61, "1 min"), (3599, "1 h"), (7800, "2 h 10 min")],
)
def test_span_is_short(seconds: float, text: str) -> None:
    """Seconds, minutes, hours: never more than two of them."""
    assert span(seconds) == text
