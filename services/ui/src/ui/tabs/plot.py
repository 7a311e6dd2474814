"""The plot of a run's losses, the same on every tab that shows one."""

from typing import Any

import gradio as gr

from ui.training.curve import COLOURS, last_step, plot_data
from ui.training.source import Training


def loss_plot(elem_id: str, pixels: int) -> gr.LinePlot:
    """Return an empty plot of `pixels` height; its words stand above it (`curve.py`)."""
    return gr.LinePlot(
        x="step",
        y="loss",
        color="series",
        color_map=COLOURS,
        # Gradio keeps these in the language that it drew them in.
        x_title=" ",
        y_title=" ",
        colors_in_legend=[],
        height=pixels,
        elem_id=elem_id,
    )


def drawn(training: Training) -> dict[str, Any]:
    """Return the update of a plot that shows the chosen run, from step 0 to its last."""
    run = training.chosen
    end = last_step(run)
    found: dict[str, Any] = gr.update(
        value=plot_data(run, training.events), x_lim=[0, end] if end else None
    )
    return found
