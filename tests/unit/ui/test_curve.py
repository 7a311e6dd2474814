"""The loss curve as the data of a plot."""

import pytest

from contracts.identity import now
from contracts.run import RunEvent
from fakes.recorded_runs import FLAT, recorded, recorded_runs, run_log
from ui.texts import texts_in
from ui.training.curve import COLOURS, POINTS, legend_html, plot_data, series_of, smoothed

ZH, EN = texts_in("zh"), texts_in("en")
FLAT_RUN, _, _, WHOLE_RUN = recorded_runs()


def event(step: int, **figures: float) -> RunEvent:
    """Return an event with these figures."""
    return RunEvent(at=now(), kind="log", step=step, figures=figures)


def test_each_figure_is_a_series() -> None:
    """Loss, the trainer's smoothed loss, and the held-out loss by step."""
    events = [event(1, loss=2.0, loss_smoothed=2.5), event(2, eval_loss=3.0), event(2, loss=1.0)]
    assert series_of(events) == {
        "loss": [(1, 2.0), (2, 1.0)],
        "smoothed": [(1, 2.5)],
        "held_out": [(2, 3.0)],
    }
    assert series_of([]) == {}


def test_step_that_was_made_again_counts_once() -> None:
    """After a resume the later figure is the right one."""
    assert series_of([event(5, loss=2.0), event(6, loss=1.9), event(5, loss=1.8)])["loss"] == [
        (5, 1.8),
        (6, 1.9),
    ]


def test_loss_is_smoothed_where_the_trainer_does_not() -> None:
    """Without bias at the start: the first point is the loss itself, a constant stays."""
    constant = [(step, 2.0) for step in range(200)]
    assert [value for _, value in smoothed(constant)] == pytest.approx([2.0] * 200)
    jagged = [(step, 1.0 + (-1) ** step) for step in range(200)]
    rest = [value for _, value in smoothed(jagged)][100:]
    assert max(abs(value - 1.0) for value in rest) < 0.1
    assert smoothed([]) == []


@pytest.mark.parametrize("count", [1, POINTS, POINTS + 1, 9_999])
def test_long_curve_is_thinned_and_keeps_its_end(count: int) -> None:
    """No screen shows more; where the run is now is the point that matters."""
    curve = series_of([event(step, loss=1.0) for step in range(count)])["loss"]
    assert len(curve) <= POINTS
    assert len(curve) > min(count, POINTS) / 2 - 1
    assert curve[-1][0] == count - 1


def test_early_end_is_a_line_from_top_to_bottom() -> None:
    """At its step; a run to its last step has none."""
    rows = plot_data(FLAT_RUN, run_log(FLAT_RUN))["data"]
    heights = [row[1] for row in rows if row[1] is not None and row[2] != "stop"]
    line = [row for row in rows if row[2] == "stop" and row[1] is not None]
    assert line == [[FLAT["step"], min(heights), "stop"], [FLAT["step"], max(heights), "stop"]]
    rest = plot_data(WHOLE_RUN, run_log(WHOLE_RUN))["data"]
    assert not [row for row in rest if row[2] == "stop" and row[1] is not None]


def test_every_series_is_in_the_data_of_every_run() -> None:
    """Also of one that has logged nothing: Gradio draws no series that comes later."""
    for run, events in (
        (FLAT_RUN, run_log(FLAT_RUN)),
        (recorded({"id": "r", "state": "queued"}), []),
    ):
        assert {row[2] for row in plot_data(run, events)["data"]} == set(COLOURS)


def test_legend_says_why_the_run_ended() -> None:
    """In the reader's language, beside the names of the lines."""
    page = legend_html(EN, FLAT_RUN, run_log(FLAT_RUN))
    for words in ("Held-out loss", "Smoothed", "The loss went flat: stopped at step 420 of 900."):
        assert words in page
    assert ZH("train.held_out") in legend_html(ZH, FLAT_RUN, run_log(FLAT_RUN))
    assert EN("train.no_curve") in legend_html(EN, None, [])
