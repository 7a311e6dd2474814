"""The coverage map: style by emotion by topic."""

from collections import OrderedDict
from typing import Any

import gradio as gr

from contracts.quality import Coverage
from ui.catalog import Catalog
from ui.dataset.coverage_map import map_html
from ui.errors import ProblemError
from ui.events import QUICK
from ui.review.row_list import no_dataset_html
from ui.service_notices import service_html
from ui.tabs.data.desk import Desk
from ui.tabs.data.review_watch import is_seen, look_when_seen, style_names
from ui.tabs.tab import Handle, words_only
from ui.texts import Texts, texts_for

# A published dataset never changes, so its map is asked for once.
KEPT = 8
ALL = "*"


class CoverageSheet:
    """Builds the sheet into the current Gradio context.

    Args:
        desk: what the sheets of the tab share.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.calls = desk.bench.talk.backend.reviews
        self.known: OrderedDict[str, Coverage] = OrderedDict()
        self.style = gr.Dropdown(
            choices=[("", "")], value="", interactive=True, elem_id="coverage-style"
        )
        self.problem = gr.HTML(elem_id="coverage-problem", elem_classes="ts-problem-block")
        self.map = gr.HTML(elem_id="coverage-map")
        self.seen = gr.Textbox(visible=False)
        known = [self.seen, desk.dataset, self.style, desk.bench.language]
        shown = [self.style, self.problem, self.map]
        look_when_seen(desk, self.look, known, shown, "coverage-map")
        self.style.input(self.pick, known, shown, **QUICK)

    async def look(self, told: Any, dataset: Any, style: Any, language: Any) -> list[Any]:
        """Return the map, if somebody sees it."""
        if not is_seen(told):
            return [gr.skip()] * 3
        return await self.pick(told, dataset, style, language)

    async def pick(self, _: Any, dataset: Any, style: Any, language: Any) -> list[Any]:
        """Return the map of a style."""
        texts = texts_for(language)
        if not dataset:
            return [gr.skip(), "", no_dataset_html(texts)]
        try:
            found = await self.coverage(str(dataset))
        except ProblemError as problem:
            return [gr.skip(), service_html(texts, problem), ""]
        names = await style_names(self.desk, texts, str(dataset))
        known = sorted(found.counts)
        chosen = str(style) if style in (*known, ALL) else next(iter(known), ALL)
        choices = [(names.get(one, one), one) for one in known] + [(texts("review.every"), ALL)]
        picker = gr.update(choices=choices, value=chosen)
        return [picker, "", map_html(texts, found, chosen, names)]

    async def coverage(self, dataset: str) -> Coverage:
        """Return the coverage of a dataset, asked for once. Raises ProblemError."""
        if dataset not in self.known:
            self.known[dataset] = await self.calls.coverage(dataset)
        self.known.move_to_end(dataset)
        while len(self.known) > KEPT:
            self.known.popitem(last=False)
        return self.known[dataset]


def build(desk: Desk) -> Handle:
    """Build the sheet into the current Gradio context."""
    sheet = CoverageSheet(desk)

    def words(texts: Texts, _: Catalog) -> list[Any]:
        return [gr.update(label=texts("coverage.style"))]

    return words_only([sheet.style], words)
