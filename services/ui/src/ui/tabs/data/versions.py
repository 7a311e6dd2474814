"""Versions of a dataset: what differs, and the way back."""

from collections.abc import Sequence
from typing import Any, get_args

import gradio as gr

from contracts.versions import Change, DatasetVersion
from ui.catalog import Catalog
from ui.dataset.version_list import VERSIONS_SHOWN, diff_html, version_label, versions_html
from ui.errors import ProblemError
from ui.events import QUICK
from ui.review.row_list import no_dataset_html
from ui.service_notices import service_html
from ui.tabs.data.desk import Desk
from ui.tabs.data.review_watch import is_seen, look_when_seen, style_names
from ui.tabs.tab import Handle, words_only
from ui.texts import Texts, texts_for
from ui.upstream.review_calls import DIFF_ROWS

CHANGES: tuple[Change, ...] = get_args(Change)


class VersionsSheet:
    """Builds the sheet into the current Gradio context.

    Args:
        desk: what the sheets of the tab share.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.calls = desk.bench.talk.backend.reviews
        self.problem = gr.HTML(elem_id="versions-problem", elem_classes="ts-problem-block")
        self.list = gr.HTML(elem_id="versions-list")
        with gr.Row(elem_classes="ts-version-pair", visible=False) as self.pair:
            self.before = version_picker("versions-before")
            self.after = version_picker("versions-after")
            self.change = gr.Dropdown(
                choices=[("", "")], value="", interactive=True, elem_id="versions-change"
            )
            self.compare = gr.Button("", elem_id="versions-compare", scale=0, min_width=120)
        self.diff = gr.HTML(elem_id="versions-diff")
        with gr.Row(visible=False, elem_id="versions-pages") as self.pages:
            self.back = gr.Button("", size="sm", scale=0, elem_id="versions-back")
            self.on = gr.Button("", size="sm", scale=0, elem_id="versions-on")
        with gr.Row(elem_classes="ts-version-pair", visible=False) as self.past:
            self.older = version_picker("versions-older")
            self.roll = gr.Button("", elem_id="versions-roll", scale=0, min_width=160)
        with gr.Column(visible=False, elem_id="versions-sure") as self.sure:
            self.asked = gr.HTML(elem_id="versions-asked")
            with gr.Row():
                self.yes = gr.Button("", variant="primary", size="sm", elem_id="versions-yes")
                self.no = gr.Button("", size="sm", elem_id="versions-no")
        self.seen, self.offset = gr.Textbox(visible=False), gr.State(0)
        self.wire()

    def wire(self) -> None:
        """Connect the sheet's opening, the dataset, the language and the buttons."""
        desk = self.desk
        language = desk.bench.language
        known = [self.seen, desk.dataset, language, self.before, self.after, self.older]
        listed = [self.problem, self.list, self.before, self.after, self.older, self.diff]
        listed += [self.pages, self.sure, self.pair, self.past]
        look_when_seen(desk, self.look, known, listed, "versions-list")
        asked = [self.offset, language, self.before, self.after, self.change]
        told = [self.offset, self.problem, self.diff, self.pages, self.back, self.on]
        self.compare.click(self.first, asked, told, **QUICK)
        self.change.input(self.first, asked, told, **QUICK)
        self.back.click(self.earlier, asked, told, **QUICK)
        self.on.click(self.later, asked, told, **QUICK)
        sure = [self.sure, self.asked]
        self.roll.click(self.ask, [language, self.older, desk.dataset], sure, **QUICK)
        self.no.click(self.leave, None, self.sure, **QUICK)
        self.yes.click(
            self.roll_back,
            [language, self.older, desk.dataset],
            [self.sure, self.problem, desk.dataset],
            **QUICK,
        )

    async def look(
        self, told: Any, dataset: Any, language: Any, before: Any, after: Any, older: Any
    ) -> list[Any]:
        """Return the versions, if somebody sees them."""
        if not is_seen(told):
            return [gr.skip()] * 10
        texts = texts_for(language)
        if not dataset:
            none = no_dataset_html(texts)
            return ["", none, *[gr.skip()] * 3, "", *[gr.update(visible=False)] * 4]
        try:
            found = await self.calls.versions(str(dataset))
        except ProblemError as problem:
            return [service_html(texts, problem), *[gr.skip()] * 9]
        pair = proposed(found, str(dataset), before, after)
        choices = [(version_label(texts, one), one.id) for one in found[-VERSIONS_SHOWN:]]
        others = [choice for choice in choices if choice[1] != dataset]
        ids = [value for _, value in others]
        back = older if older in ids else next(reversed(ids), None)
        same = pair == (before, after)
        return [
            "",
            versions_html(texts, found, str(dataset)),
            *(gr.update(choices=choices, value=one) for one in pair),
            gr.update(choices=others, value=back),
            gr.skip() if same else "",
            gr.skip() if same else gr.update(visible=False),
            gr.update(visible=False),
            *[gr.update(visible=bool(others))] * 2,
        ]

    async def first(self, _: Any, *asked: Any) -> list[Any]:
        """Return the first differences."""
        return await self.differences(0, *asked)

    async def earlier(self, offset: Any, *asked: Any) -> list[Any]:
        """Return the differences before those that are shown."""
        return await self.differences(max(0, int(offset or 0) - DIFF_ROWS), *asked)

    async def later(self, offset: Any, *asked: Any) -> list[Any]:
        """Return the differences after those that are shown."""
        return await self.differences(int(offset or 0) + DIFF_ROWS, *asked)

    async def differences(
        self, offset: int, language: Any, before: Any, after: Any, change: Any
    ) -> list[Any]:
        """Return some differences of two versions."""
        texts = texts_for(language)
        if not before or not after:
            return [0, "", "", gr.update(visible=False), gr.skip(), gr.skip()]
        wanted = change if change in CHANGES else None
        try:
            found = await self.calls.diff(str(before), str(after), wanted, offset)
        except ProblemError as problem:
            return [
                offset,
                service_html(texts, problem),
                gr.skip(),
                gr.skip(),
                gr.skip(),
                gr.skip(),
            ]
        names = await style_names(self.desk, texts, str(after))
        return [
            offset,
            "",
            diff_html(texts, found, offset, names),
            gr.update(visible=found.total > DIFF_ROWS),
            gr.update(interactive=offset > 0),
            gr.update(interactive=offset + DIFF_ROWS < found.total),
        ]

    async def ask(self, language: Any, older: Any, dataset: Any) -> list[Any]:
        """Ask whether to go back."""
        texts = texts_for(language)
        if not older or not dataset:
            return [gr.update(visible=False), ""]
        return [gr.update(visible=True), f"<p>{texts('versions.sure', id=str(older)[:80])}</p>"]

    async def leave(self) -> Any:
        """Leave everything as it is."""
        return gr.update(visible=False)

    async def roll_back(self, language: Any, older: Any, dataset: Any) -> list[Any]:
        """Publish the older content once more, and pick that version."""
        texts = texts_for(language)
        try:
            made = await self.calls.roll_back(str(dataset), str(older))
        except ProblemError as problem:
            return [gr.update(visible=False), service_html(texts, problem), gr.skip()]
        return [gr.update(visible=False), "", await self.desk.picked(texts, made.id)]


def version_picker(element_id: str) -> gr.Dropdown:
    """Return a picker of a version."""
    return gr.Dropdown(choices=[], value=None, interactive=True, elem_id=element_id)


def proposed(
    found: Sequence[DatasetVersion], dataset: str, before: Any, after: Any
) -> tuple[str | None, str | None]:
    """Return the two versions to compare: as they were picked, else a version and its parent.

    A first version is compared with the newest.
    """
    ids = [one.id for one in found]
    if before in ids and after in ids and before != after:
        return before, after
    here = next((one for one in found if one.id == dataset), None)
    parent = here.lineage.parent if here and here.lineage else None
    return (parent, dataset) if parent in ids else (dataset, ids[-1] if ids else None)


def build(desk: Desk) -> Handle:
    """Build the sheet into the current Gradio context."""
    sheet = VersionsSheet(desk)
    pickers = {"before": sheet.before, "after": sheet.after, "older": sheet.older}
    buttons = {
        "compare": sheet.compare,
        "roll": sheet.roll,
        "yes": sheet.yes,
        "no": sheet.no,
        "back": sheet.back,
        "on": sheet.on,
    }

    def words(texts: Texts, _: Catalog) -> list[Any]:
        kinds = [(texts(f"versions.{one}"), one) for one in CHANGES]
        return [
            *(gr.update(label=texts(f"versions.pick_{name}")) for name in pickers),
            gr.update(
                label=texts("versions.change"), choices=[(texts("review.every"), ""), *kinds]
            ),
            *(gr.update(value=texts(f"versions.{name}_button")) for name in buttons),
        ]

    worded = [*pickers.values(), sheet.change, *buttons.values()]
    return words_only(worded, words)
