"""How long steps take and how long the run will."""

import json

import pytest

from fakes.clock import FakeClock
from trainer.engine.pace import STEP_BUCKETS, Durations, Pace


def paced(clock: FakeClock, *seconds: float, earlier: object = None, first: int = 1) -> Pace:
    """Return a pace after steps that took so long, each with half a second of saving behind it."""
    made = Pace(earlier, clock)
    for number, taken in enumerate(seconds, start=first):
        made.begin()
        clock.now += taken
        made.end(number)
        clock.now += 0.5
    return made


def test_buckets_are_cumulative_and_the_last_counts_all() -> None:
    """As Prometheus has them: a bound belongs to its own bucket."""
    found = Durations((1, 2, 4))
    for seconds in (0.5, 2, 3, 9):
        found.observe(seconds)
    assert found.document() == {"bounds": [1, 2, 4], "counts": [1, 2, 3, 4], "sum": 14.5}


def test_distribution_goes_on_in_the_engine_that_resumes() -> None:
    """Through the rank file, which is JSON; other buckets begin anew."""
    before = paced(FakeClock(), 0.3, 0.3)
    before.waited(0.02)
    earlier = json.loads(json.dumps(before.document()))
    after = paced(FakeClock(), 0.3, earlier=earlier).document()
    assert after["step"]["counts"][-1] == 3
    assert after["step"]["sum"] == pytest.approx(0.9)
    assert after["data_wait"]["counts"][-1] == 1
    assert Durations((1.0,), earlier["step"]).counts == [0, 0]
    assert Pace("broken").document()["step"]["counts"] == [0] * (len(STEP_BUCKETS) + 1)


def test_average_of_a_step_has_no_bias_and_follows_the_newest() -> None:
    """The first step already is the average; saves between steps are not in it."""
    clock = FakeClock()
    assert paced(clock, 2).figures(10)["step_seconds_ewma"] == pytest.approx(2)
    many = paced(clock, *[2.0] * 40, *[4.0] * 20).figures(100)["step_seconds_ewma"]
    assert 2.9 < many < 3.2


def test_time_that_is_left_counts_all_that_happens_between_steps() -> None:
    """Saves too, and of this engine only; before a second step nothing is known."""
    assert "eta_seconds" not in paced(FakeClock(), 2).figures(10)
    assert paced(FakeClock(), 2, 2, 2).figures(10)["eta_seconds"] == pytest.approx(7 * 2.5)
    resumed = paced(FakeClock(), 9, 1, 1, first=101)
    assert resumed.figures(110)["eta_seconds"] == pytest.approx(7 * 1.5)
    assert paced(FakeClock(), 1, 1).figures(2)["eta_seconds"] == 0
