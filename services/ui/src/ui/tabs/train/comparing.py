"""Runs side by side: their losses on one chart, what differs, and what came out."""

from typing import Any

import gradio as gr

from ui.catalog import Catalog
from ui.errors import ProblemError
from ui.events import QUICK
from ui.service_notices import service_html
from ui.tabs.tab import Handle, words_only
from ui.tabs.train.hall import Hall
from ui.texts import Texts, texts_for
from ui.training.run_compare import FIGURES, MOST, overlay_html, table_html
from ui.training.runs import run_choices


class Comparing:
    """Builds the sheet into the current Gradio context.

    Args:
        hall: what the sheets share.
    """

    def __init__(self, hall: Hall) -> None:
        self.hall = hall
        self.problem = gr.HTML(elem_id="train-compare-problem", elem_classes="ts-problem-block")
        with gr.Row(elem_classes="ts-recipe-pickers"):
            self.runs = gr.Dropdown(
                choices=[],
                value=[],
                multiselect=True,
                max_choices=MOST,
                interactive=True,
                scale=3,
                elem_id="train-compare-runs",
            )
            self.figure = gr.Radio(
                list(FIGURES), value=FIGURES[0], scale=1, elem_id="train-compare-figure"
            )
        self.chart = gr.HTML(elem_id="train-compare-chart", elem_classes="ts-section")
        self.table = gr.HTML(elem_id="train-compare-table", elem_classes="ts-section")
        self.shown: list[Any] = [self.problem, self.runs, self.chart, self.table]
        self.wire()
        self.handle = self.words()

    def wire(self) -> None:
        """Connect opening, the pickers and the language."""
        hall, language = self.hall, self.hall.bench.language
        known = [self.runs, self.figure, language]
        hall.sheet.select(self.open, known, [hall.here, *self.shown], **QUICK)
        gr.on(
            [self.runs.input, self.figure.input],
            self.compare,
            known,
            [self.problem, self.chart, self.table],
            trigger_mode="always_last",
            **QUICK,
        )
        language.change(self.speak, [hall.here, *known], self.shown, **QUICK)

    async def open(self, picked: Any, figure: Any, language: Any) -> list[Any]:
        """Offer the runs, the two newest with a curve at first."""
        return ["compare", *await self.offer(picked, figure, language)]

    async def speak(self, here: Any, picked: Any, figure: Any, language: Any) -> list[Any]:
        """Return the sheet in another language, if it is seen."""
        if here != "compare":
            return [gr.skip()] * len(self.shown)
        return await self.offer(picked, figure, language)

    async def offer(self, picked: Any, figure: Any, language: Any) -> list[Any]:
        """Return the choices, and the comparison of what is picked."""
        texts = texts_for(language)
        try:
            runs = await self.hall.source.history()
        except ProblemError as error:
            return [service_html(texts, error), gr.skip(), gr.skip(), gr.skip()]
        known = [run.id for run in runs]
        kept = [name for name in picked or [] if name in known]
        kept = kept or [run.id for run in runs if run.step and run.state.final][:2]
        problem, chart, table = await self.compare(kept, figure, language)
        return [
            problem,
            gr.update(choices=run_choices(texts, runs), value=kept),
            chart,
            table,
        ]

    async def compare(self, picked: Any, figure: Any, language: Any) -> list[Any]:
        """Return chart and table of the runs that are picked."""
        texts = texts_for(language)
        try:
            history = {run.id: run for run in await self.hall.source.history()}
        except ProblemError as problem:
            return [service_html(texts, problem), gr.skip(), gr.skip()]
        runs = [history[name] for name in picked or [] if name in history][:MOST]
        if not runs:
            return ["", f'<p class="ts-run-none">{texts("run.compare_none")}</p>', ""]
        events = await self.hall.source.events_of([run.id for run in runs])
        shown = str(figure) if figure in FIGURES else FIGURES[0]
        return ["", overlay_html(texts, runs, events, shown), table_html(texts, runs, events)]

    def words(self) -> Handle:
        """Return how the sheet is worded."""

        def words(texts: Texts, _: Catalog) -> list[Any]:
            figures = [(texts(f"train.{name}"), name) for name in FIGURES]
            return [
                gr.update(label=texts("run.compare_runs"), info=texts("run.compare_info")),
                gr.update(label=texts("run.compare_figure"), choices=figures),
            ]

        return words_only([self.runs, self.figure], words)
