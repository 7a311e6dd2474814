"""The report card of a dataset: its numbers, and what another threshold would change."""

from typing import Any

import gradio as gr

from ui.catalog import Catalog
from ui.dataset.card_figures import card_html
from ui.dataset.card_preview import SLIDERS, USUAL, limits_of, preview_html
from ui.errors import ProblemError
from ui.events import QUICK
from ui.review.row_list import no_dataset_html
from ui.service_notices import service_html
from ui.tabs.data.desk import Desk
from ui.tabs.data.review_watch import is_seen, look_when_seen, style_names
from ui.tabs.tab import Handle, words_only
from ui.texts import Texts, texts_for


class ReportCardSheet:
    """Builds the sheet into the current Gradio context.

    Args:
        desk: what the sheets of the tab share.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.calls = desk.bench.talk.backend.reviews
        self.problem = gr.HTML(elem_id="report-card-problem", elem_classes="ts-problem-block")
        self.card = gr.HTML(elem_id="report-card")
        with gr.Accordion("", open=True, elem_id="report-card-limits") as self.fold:
            with gr.Row(elem_classes="ts-report-sliders"):
                self.sliders = [
                    gr.Slider(
                        least,
                        most,
                        value=getattr(USUAL, name),
                        step=step,
                        interactive=True,
                        elem_id=f"report-card-{name}",
                        min_width=220,
                    )
                    for name, (least, most, step) in SLIDERS.items()
                ]
            self.usual = gr.Button("", size="sm", scale=0, elem_id="report-card-usual")
            self.preview = gr.HTML(elem_id="report-card-preview")
        self.seen = gr.Textbox(visible=False)
        self.wire()

    def wire(self) -> None:
        """Connect the sheet's opening, the dataset, the language and the sliders."""
        desk = self.desk
        known = [self.seen, desk.dataset, desk.bench.language, *self.sliders]
        shown = [self.problem, self.card, self.preview]
        look_when_seen(desk, self.look, known, shown, "report-card-limits")
        gr.on(
            [slider.input for slider in self.sliders],
            self.move,
            known,
            [self.problem, self.preview],
            trigger_mode="always_last",
            **QUICK,
        )
        self.usual.click(self.again, known, [self.problem, self.preview, *self.sliders], **QUICK)

    async def look(self, told: Any, dataset: Any, language: Any, *limits: Any) -> list[Any]:
        """Return the report card, and what the sliders would change, if somebody sees it."""
        if not is_seen(told):
            return [gr.skip()] * 3
        texts = texts_for(language)
        if not dataset:
            return ["", no_dataset_html(texts), ""]
        names = await style_names(self.desk, texts, str(dataset))
        try:
            card = await self.calls.report_card(str(dataset))
        except ProblemError as problem:
            return [service_html(texts, problem), "", ""]
        problem_said, preview = await self.move(told, dataset, language, *limits)
        return [problem_said, card_html(texts, card, names), preview]

    async def move(self, _: Any, dataset: Any, language: Any, *limits: Any) -> list[Any]:
        """Return what the sliders would change; nothing is changed."""
        texts = texts_for(language)
        wanted = limits_of(limits)
        if not dataset or wanted == USUAL:
            return ["", preview_html(texts, None, {})]
        names = await style_names(self.desk, texts, str(dataset))
        try:
            found = await self.calls.preview(str(dataset), wanted)
        except ProblemError as problem:
            return [service_html(texts, problem), gr.skip()]
        return ["", preview_html(texts, found, names)]

    async def again(self, told: Any, dataset: Any, language: Any, *_: Any) -> list[Any]:
        """Put all sliders back."""
        usual = [getattr(USUAL, name) for name in SLIDERS]
        return [*await self.move(told, dataset, language, *usual), *usual]


def build(desk: Desk) -> Handle:
    """Build the sheet into the current Gradio context."""
    sheet = ReportCardSheet(desk)

    def words(texts: Texts, _: Catalog) -> list[Any]:
        sliders = [
            gr.update(
                label=texts(f"report_card.limit.{name}"), info=texts(f"report_card.info.{name}")
            )
            for name in SLIDERS
        ]
        again = gr.update(value=texts("report_card.usual"))
        return [gr.update(label=texts("report_card.try")), *sliders, again]

    worded = [sheet.fold, *sheet.sliders, sheet.usual]
    return words_only(worded, words)
