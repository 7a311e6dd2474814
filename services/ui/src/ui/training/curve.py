"""The loss curve of a run as the data of a Gradio line plot, and its legend (pure).

The dictionary has the shape of Gradio's `PlotData`, which it takes as it is: so the page needs no
pandas of its own.
"""

from collections.abc import Sequence
from html import escape
from typing import Any

from contracts.run import RunEvent, RunRecord
from ui.texts import Texts
from ui.training.runs import ending, planned_steps

# Each series: its name, `train.<name>` in the locales, and its colour on paper and ink alike.
LOSS, SMOOTH, HELD_OUT, STOP = "loss", "smoothed", "held_out", "stop"
COLOURS = {LOSS: "#aa9f8e", SMOOTH: "#c8432b", HELD_OUT: "#3d7d8f", STOP: "#8a7f70"}
# More points than this no screen shows.
POINTS = 400
# Without a smoothed loss of the trainer's: the half-life of ours, as a share of the points.
HALF_LIFE_RATIO = 0.04
Point = tuple[int, float]


def series_of(events: Sequence[RunEvent]) -> dict[str, list[Point]]:
    """Return the curves in the events of a run; one without a point is left out."""
    loss = points(events, "loss")
    found = {
        LOSS: loss,
        SMOOTH: points(events, "loss_smoothed") or smoothed(loss),
        HELD_OUT: points(events, "eval_loss"),
    }
    return {name: thinned(curve) for name, curve in found.items() if curve}


def points(events: Sequence[RunEvent], figure: str) -> list[Point]:
    """Return one figure by step; a step that was made again after a resume counts once."""
    known = {event.step: event.figures[figure] for event in events if figure in event.figures}
    return sorted(known.items())


def smoothed(curve: list[Point]) -> list[Point]:
    """Return the curve's exponential mean, free of the bias of its start (as Adam's moments)."""
    keep = 0.5 ** (1 / max(1.0, HALF_LIFE_RATIO * len(curve)))
    total, weight, found = 0.0, 0.0, []
    for step, value in curve:
        total = keep * total + (1 - keep) * value
        weight = keep * weight + 1 - keep
        found.append((step, total / weight))
    return found


def thinned(curve: list[Point]) -> list[Point]:
    """Return at most about POINTS points of a curve, the last one always."""
    stride = -(-len(curve) // POINTS)
    return curve[::-stride][::-1] if stride > 1 else curve


def plot_data(run: RunRecord | None, events: Sequence[RunEvent]) -> dict[str, Any]:
    """Return the curves of a run; where it stopped early, a line marks that step.

    Every series is there, if only with a point that is not drawn: Gradio takes new points into a
    plot that it has drawn, but no new series.
    """
    curves = series_of(events)
    heights = [value for curve in curves.values() for _, value in curve]
    if run and run.stop and heights:
        curves[STOP] = [(run.stop.step, min(heights)), (run.stop.step, max(heights))]
    nowhere: list[list[Any]] = [[0, None, name] for name in COLOURS]
    return {
        "columns": ["step", "loss", "series"],
        "data": nowhere + [[*point, name] for name, curve in curves.items() for point in curve],
        "datatypes": {"step": "quantitative", "loss": "quantitative", "series": "nominal"},
        "mark": "line",
    }


def legend_html(texts: Texts, run: RunRecord | None, events: Sequence[RunEvent]) -> str:
    """Return which line is what; the mark of the end says why there was one."""
    known = [(name, texts(f"train.{name}")) for name in series_of(events)]
    if known and run and run.stop:
        known.append((STOP, ending(texts, run)))
    keys = "".join(
        f'<span><i style="background:{COLOURS[name]}"></i>{escape(said)}</span>'
        for name, said in known
    )
    title = texts("train.curve") if known else texts("train.no_curve")
    return f'<div class="ts-legend"><strong>{escape(title)}</strong>{keys}</div>'


def last_step(run: RunRecord | None) -> int | None:
    """Return where the axis of the steps ends: at the last step that was planned."""
    return planned_steps(run) or None if run else None
