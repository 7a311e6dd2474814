"""The latest training runs, and one of them with its loss curve and why it ended. Read only."""

from typing import Any

import gradio as gr

from ui.catalog import Catalog
from ui.conversation import private
from ui.curve import legend_html
from ui.runs import card_html, list_html, run_choices
from ui.tabs.plot import drawn, loss_plot
from ui.tabs.tab import Handle, Part, Workbench
from ui.texts import DEFAULT, Texts, as_language, texts_in
from ui.training import Training, TrainingSource

# A run reports each step or so; a curve that moves more often is no easier to read.
REFRESH_SECONDS = 3.0
PLOT_PIXELS = 400


class Runs:
    """Builds the tab into the current Gradio context.

    Args:
        bench: what tabs are built with.
    """

    def __init__(self, bench: Workbench) -> None:
        self.source = TrainingSource(bench.talk.backend)
        self.listed = gr.HTML(elem_id="train-runs")
        with gr.Row(elem_classes="ts-stage", elem_id="train-one", visible=False) as self.one:
            with gr.Column(elem_classes="ts-panel", scale=0, min_width=300):
                self.picker = gr.Dropdown(
                    choices=[],
                    interactive=True,
                    filterable=False,
                    elem_classes="ts-model",
                    elem_id="train-picker",
                )
                self.card = gr.HTML(elem_classes="ts-card-block", elem_id="train-card")
            with gr.Column(elem_classes="ts-plot", scale=1, min_width=300):
                self.legend = gr.HTML(elem_classes="ts-legend-block")
                self.plot = loss_plot("train-plot", PLOT_PIXELS)
        # What the reader picked, and what the tab was last made from.
        self.picked, self.seen = gr.State(""), gr.State("")
        self.timer = gr.Timer(REFRESH_SECONDS, active=False)
        self.wire(bench)

    def wire(self, bench: Workbench) -> None:
        """Connect the tab's opening, the clock, the picker and the language."""
        quick: dict[str, Any] = {"queue": False, "preprocess": False, **private()}
        shown = [self.listed, self.one, self.picker, self.card, self.legend, self.plot]
        known = [self.seen, self.picked, bench.language]
        self.timer.tick(self.tick, known, [self.seen, *shown], **quick)
        bench.tab.select(self.open, known, [self.timer, self.seen, *shown], **quick)
        bench.language.change(self.tick, known, [self.seen, *shown], **quick)
        self.picker.input(
            self.pick, [self.picker, bench.language], [self.picked, self.seen, *shown], **quick
        )

    async def open(self, seen: Any, picked: Any, language: Any) -> list[Any]:
        """Start the clock with the first look; who never looks costs the trainer nothing."""
        return [gr.Timer(active=True), *await self.tick(seen, picked, language)]

    async def pick(self, picked: Any, language: Any) -> list[Any]:
        """Show another run, and stay with it."""
        return [picked, *await self.tick("", picked, language)]

    async def tick(self, seen: Any, picked: Any, language: Any) -> list[Any]:
        """Return what the tab was made from now, and its updates, if there is anything new."""
        texts = texts_in(as_language(language) or DEFAULT)
        training = await self.source.training(str(picked or ""))
        now = fingerprint(texts, training)
        updates = self.render(texts, training) if now != seen else [gr.skip()] * 6
        return [now, *updates]

    def render(self, texts: Texts, training: Training) -> list[Any]:
        """Return the updates of list, stage, picker, card, legend and plot."""
        run = training.chosen
        return [
            list_html(texts, training),
            gr.update(visible=run is not None),
            gr.update(
                choices=run_choices(texts, training.runs),
                value=run.id if run else None,
                label=texts("train.name"),
            ),
            card_html(texts, run),
            legend_html(texts, run, training.events),
            drawn(training),
        ]


def fingerprint(texts: Texts, training: Training) -> str:
    """Return a short text that changes when what the tab shows does."""
    chosen = training.chosen.id if training.chosen else ""
    runs = "".join(run.model_dump_json() for run in training.runs or ())
    state = "down" if training.runs is None else str(hash(runs))
    return f"{texts.language}|{state}|{chosen}|{len(training.events)}"


def build(bench: Workbench) -> Handle:
    """Build the tab into the current Gradio context."""
    runs = Runs(bench)

    def words(texts: Texts, _: Catalog) -> list[Any]:
        return [gr.update(label=texts("train.name"))]

    nothing = Part([], [], lambda *_: [])
    return Handle(nothing, Part([], [runs.picker], words), nothing, [])
