"""The run that goes on, in short."""

from datetime import UTC, datetime, timedelta

import pytest

from contracts.run import RunEvent
from fakes.recorded_runs import FLAT, recorded
from ui.texts import texts_in
from ui.training.progress import remaining_seconds, remaining_text, run_html
from ui.training.source import Training

ZH, EN = texts_in("zh"), texts_in("en")
START = datetime(2026, 1, 1, tzinfo=UTC)
RUNNING = {"id": "r-1", "state": "running", "step": 100, "max_steps": 900, "loss": 0.5}


def logged(*points: tuple[int, float]) -> list[RunEvent]:
    """Return log lines of steps at seconds after the start."""
    return [
        RunEvent(at=START + timedelta(seconds=at), kind="log", step=step) for step, at in points
    ]


@pytest.mark.parametrize(
    ("events", "seconds"),
    [
        ([], None),
        ([(100, 50.0)], None),
        ([(50, 0.0), (100, 100.0)], 1600.0),
        ([(90, 0.0), (100, 0.0)], None),
        # Resumed: the pause and the steps that were made again say nothing of the pace.
        ([(80, 0.0), (120, 40.0), (60, 9000.0), (100, 9040.0)], 800.0),
    ],
)
def test_time_left_is_taken_from_the_pace_of_the_log(
    events: list[tuple[int, float]], seconds: float | None
) -> None:
    """Without a pace there is no guess."""
    assert remaining_seconds(recorded(RUNNING), logged(*events)) == seconds


def test_time_left_is_told_of_a_run_that_goes_on_only() -> None:
    """One that ended needs none."""
    assert remaining_seconds(recorded(FLAT), logged((1, 0.0), (2, 1.0))) is None


@pytest.mark.parametrize(
    ("left", "said"),
    [(10, "less than a minute"), (1800, "about 30 min"), (9000, "about 2 h 30 min")],
)
def test_time_left_is_told_in_words(left: int, said: str) -> None:
    """No false precision."""
    run = recorded(RUNNING | {"max_steps": 100 + left})
    assert remaining_text(EN, run, logged((99, 0.0), (100, 1.0))) == said


def test_run_is_pictured_without_grafana() -> None:
    """State, steps with a bar, losses, and the time left."""
    run = recorded(RUNNING | {"step": 225, "eval_loss": 0.25})
    html = run_html(ZH, Training((run,), run, tuple(logged((1, 0.0), (225, 224.0)))))
    for said in (ZH("run.running"), "r-1", "225 / 900", "width:25.0%", "0.5000", "0.2500"):
        assert said in html
    assert ZH("monitor.minutes", minutes=11) in html


def test_last_run_says_why_it_ended() -> None:
    """Where none goes on."""
    run = recorded(FLAT)
    html = run_html(EN, Training((run,), run))
    assert EN("run.flat", step=420, planned=900) in html
    assert EN("monitor.remaining") not in html


def test_absence_of_runs_is_told_apart_from_not_knowing() -> None:
    """Each with what to type."""
    assert EN("train.none") in run_html(EN, Training(()))
    assert EN("train.down") in run_html(EN, Training(None))
