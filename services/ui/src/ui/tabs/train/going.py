"""The latest training runs, and one of them as it goes: watched, stopped, resumed."""

from html import escape
from typing import Any

import gradio as gr

from contracts.job import JobState
from contracts.run import RunOutput
from ui.catalog import Catalog
from ui.errors import ProblemError
from ui.events import QUICK
from ui.service_notices import service_html
from ui.tabs.clock import Clock
from ui.tabs.tab import Handle, news, words_only
from ui.tabs.train.hall import Confirm, Hall, picker
from ui.texts import Texts, texts_for
from ui.training.run_live import curves_html, live_html, output_text
from ui.training.runs import card_html, list_html, run_choices
from ui.training.source import Training

# A run reports each step or so; a curve that moves more often is no easier to read.
REFRESH_SECONDS = 3.0
RESUMABLE = (JobState.FAILED, JobState.CANCELLED, JobState.INCOMPLETE)
# The order was given already, by a second click or by somebody else.
CONFLICT = 409


class Runs:
    """Builds the sheet into the current Gradio context.

    Args:
        hall: what the sheets share.
    """

    def __init__(self, hall: Hall) -> None:
        self.hall, self.source = hall, hall.source
        self.jobs = hall.backend.trainer.jobs
        self.listed = gr.HTML(elem_id="train-runs")
        self.problem = gr.HTML(elem_id="train-problem", elem_classes="ts-problem-block")
        with gr.Row(elem_classes="ts-stage", elem_id="train-one", visible=False) as self.one:
            with gr.Column(elem_classes="ts-panel", scale=0, min_width=300):
                self.picker = picker("train-picker")
                with gr.Row(elem_classes="ts-orders-row"):
                    self.stop = gr.Button("", variant="stop", size="sm", elem_id="train-stop")
                    self.resume = gr.Button("", size="sm", elem_id="train-resume")
                self.confirm = Confirm("train-confirm")
                self.card = gr.HTML(elem_classes="ts-card-block", elem_id="train-card")
            with gr.Column(elem_classes="ts-plot", scale=1, min_width=300):
                self.live = gr.HTML(elem_id="train-live", elem_classes="ts-section")
                self.plot = gr.HTML(elem_id="train-plot", elem_classes="ts-section")
                with gr.Accordion("", open=False, elem_id="train-log") as self.fold:
                    self.output = gr.Textbox(
                        lines=12,
                        max_lines=12,
                        interactive=False,
                        show_label=False,
                        container=False,
                        autoscroll=True,
                        elem_id="train-output",
                    )
        self.seen = gr.State(None)
        self.clock = Clock(hall.bench, REFRESH_SECONDS)
        self.shown: list[Any] = [self.listed, self.one, self.picker, self.card, self.live]
        self.shown += [self.plot, self.output, self.stop, self.resume]
        self.known: list[Any] = [self.seen, hall.picked, hall.bench.language]
        self.changed: list[Any] = [hall.here, self.seen, *self.shown]
        self.wire()
        self.handle = self.words()

    def wire(self) -> None:
        """Connect opening, the clock, the picker, the language and the orders."""
        hall, language = self.hall, self.hall.bench.language
        looking: dict[str, Any] = {
            "inputs": [hall.here, *self.known],
            "outputs": [self.seen, *self.shown],
        }
        self.clock.timer.tick(self.tick, **looking, **QUICK)
        hall.bench.tab.select(self.tick, **looking, **QUICK)
        language.change(self.tick, **looking, **QUICK)
        hall.sheet.select(self.open, self.known, self.changed, **QUICK)
        picked = [hall.picked, self.problem, *self.confirm.outputs, self.seen, *self.shown]
        self.picker.input(self.pick, [self.picker, language], picked, **QUICK)
        self.stop.click(self.ask, [self.picker, language], self.confirm.outputs, **QUICK)
        self.confirm.no.click(self.confirm.over, None, self.confirm.outputs, **QUICK)
        ordered = [self.problem, *self.confirm.outputs, self.seen, *self.shown]
        about = [self.confirm.about, language]
        self.confirm.yes.click(self.cancel, about, ordered, **QUICK)
        self.resume.click(self.go_on, [self.picker, language], ordered, **QUICK)

    async def open(self, seen: Any, picked: Any, language: Any) -> list[Any]:
        """Look at the runs, now that their sheet is seen."""
        return ["runs", *await self.tick("runs", seen, picked, language)]

    async def tick(self, here: Any, seen: Any, picked: Any, language: Any) -> list[Any]:
        """Return what the sheet was made from now, and of it what is new."""
        if here != "runs":
            return [gr.skip()] * (1 + len(self.shown))
        texts = texts_for(language)
        training = await self.source.training(str(picked or ""))
        return news(seen, self.render(texts, training, await self.source.output(training.chosen)))

    async def pick(self, picked: Any, language: Any) -> list[Any]:
        """Show another run, and stay with it."""
        updates = await self.tick("runs", None, picked, language)
        return [picked, "", *self.confirm.over(), *updates]

    def ask(self, run_id: Any, language: Any) -> list[Any]:
        """Ask whether a run is really to be stopped."""
        texts = texts_for(language)
        question = escape(texts("run.stop_question", run=str(run_id or "")))
        return self.confirm.ask(str(run_id or ""), f"<p>{question}</p>")

    async def cancel(self, run_id: Any, language: Any) -> list[Any]:
        """Stop a run, which saves first; one that waits leaves the queue."""
        return await self.ordered(self.jobs.cancel, run_id, language)

    async def go_on(self, run_id: Any, language: Any) -> list[Any]:
        """Queue a run again, which goes on from its last checkpoint."""
        return await self.ordered(self.jobs.resume, run_id, language)

    async def ordered(self, order: Any, run_id: Any, language: Any) -> list[Any]:
        """Give an order, and show what came of it."""
        texts, problem = texts_for(language), ""
        try:
            if run_id:
                await order(str(run_id))
        except ProblemError as error:
            if error.values.get("status") != CONFLICT:
                problem = service_html(texts, error)
        self.source.stale()
        return [problem, *self.confirm.over(), *await self.tick("runs", None, run_id, language)]

    def render(self, texts: Texts, training: Training, output: RunOutput) -> list[Any]:
        """Return the values of `shown`."""
        run = training.chosen
        return [
            list_html(texts, training),
            gr.update(visible=run is not None),
            gr.update(choices=run_choices(texts, training.runs), value=run.id if run else None),
            card_html(texts, run),
            live_html(texts, training),
            curves_html(texts, training),
            output_text(output),
            gr.update(visible=run is not None and not run.state.final),
            gr.update(visible=run is not None and run.state in RESUMABLE),
        ]

    def words(self) -> Handle:
        """Return how the sheet is worded."""

        def words(texts: Texts, _: Catalog) -> list[Any]:
            return [
                gr.update(label=texts("train.name")),
                gr.update(label=texts("run.output")),
                gr.update(label=texts("run.output")),
                gr.update(value=texts("run.stop")),
                gr.update(value=texts("run.resume")),
                gr.update(value=texts("run.stop_yes")),
                gr.update(value=texts("run.stop_no")),
            ]

        worded = [self.picker, self.fold, self.output, self.stop, self.resume]
        worded += [self.confirm.yes, self.confirm.no]
        return words_only(worded, words)
