"""The tab as a whole: the library in front, and behind it the one card that is worked on.

The card that is worked on is kept by the browser (`kept`), so that a reload loses nothing, and it
is not put aside for another one before its person has said so.
"""

from typing import Any

import gradio as gr

from ui.style.cards import uses_html
from ui.style.draft import Draft
from ui.style.source import Library, LibrarySource
from ui.tabs.clock import Clock
from ui.tabs.styles.clash import Clash
from ui.tabs.styles.editor import Editor
from ui.tabs.styles.events import Changes
from ui.tabs.styles.history import History
from ui.tabs.styles.orders import Orders, Outcome, why_html
from ui.tabs.styles.shelf import Shelf
from ui.tabs.styles.trial import Trial
from ui.tabs.tab import Workbench
from ui.texts import Texts

REFRESH_SECONDS = 5.0
SHELF, CARD = "shelf", "card"
# The sheets of a card.
FORM, TEXT, VERSIONS, USES = "form", "text", "versions", "uses"


class Desk:
    """Builds the tab into the current Gradio context; `wiring.connect` connects it.

    Args:
        bench: what tabs are built with.
    """

    def __init__(self, bench: Workbench) -> None:
        backend = bench.talk.backend
        self.source = LibrarySource(backend)
        self.orders = Orders(backend.styles)
        self.kept = gr.Textbox(visible="hidden", elem_id="styles-draft")
        # What waits until the open card may be put aside; and which side is seen.
        self.wanted, self.side = gr.State(""), gr.State(SHELF)
        # Whether the tab was opened already, and the cards that it shows.
        self.entered, self.seen = gr.State(False), gr.State("")
        self.said = gr.HTML(elem_id="styles-said", elem_classes="ts-section ts-said-block")
        with gr.Row(elem_classes="ts-orders", visible=False) as self.guard:
            self.stay = gr.Button("", size="sm", scale=0, elem_id="styles-stay")
            self.leave = gr.Button("", variant="stop", size="sm", scale=0, elem_id="styles-leave")
        self.rebase = gr.Button("", size="sm", scale=0, visible=False, elem_id="styles-rebase")
        with gr.Column(elem_classes="ts-section") as self.front:
            self.shelf = Shelf()
            with gr.Accordion(
                "", open=False, elem_classes="ts-fold", elem_id="styles-clash-fold"
            ) as (self.fold):
                self.clash = Clash(backend.styles)
        with gr.Column(visible=False) as self.behind:
            self.build_card(bench)
        self.clock = Clock(bench, REFRESH_SECONDS)
        self.words_of = (self.shelf, self.clash, self.editor, self.trial, self.history)

    def build_card(self, bench: Workbench) -> None:
        """Build the side on which one card is worked on."""
        self.editor = Editor()
        with gr.Row(elem_classes="ts-bench"):
            with gr.Column(elem_classes="ts-work", scale=1, min_width=320):
                self.editor.build_faults()
                with gr.Tabs(elem_id="styles-sheets", selected=FORM) as self.sheets:
                    with gr.Tab("", id=FORM) as self.form_sheet:
                        self.editor.build_form()
                    with gr.Tab("", id=TEXT) as self.text_sheet:
                        self.editor.build_text()
                        with gr.Row(elem_classes="ts-orders"):
                            self.as_yaml = gr.Button(
                                "", size="sm", scale=0, elem_id="styles-as-yaml"
                            )
                            self.as_json = gr.Button(
                                "", size="sm", scale=0, elem_id="styles-as-json"
                            )
                        self.file = gr.Textbox(visible="hidden", elem_id="styles-file")
                    with gr.Tab("", id=VERSIONS) as self.versions_sheet:
                        self.history = History(bench.talk.backend.styles)
                    with gr.Tab("", id=USES) as self.uses_sheet:
                        self.uses = gr.HTML(elem_id="styles-uses", elem_classes="ts-section")
            with gr.Column(elem_classes="ts-try", scale=0, min_width=300):
                self.trial = Trial(bench.talk.backend.styles)

    @property
    def outputs(self) -> list[Any]:
        """Everything that a step may change."""
        editor, trial, history, clash = self.editor, self.trial, self.history, self.clash
        found: list[Any] = [self.kept, self.wanted, self.side, self.entered, self.seen, self.said]
        found += [self.guard, self.rebase, self.front, self.behind, self.sheets, self.uses]
        found += [self.shelf.cards, *editor.inputs, editor.head, editor.faults, editor.discard]
        found += [editor.archive, trial.question, trial.reply, trial.asked, trial.ask]
        found += [*trial.examples, history.older, history.newer, history.restore, history.diff]
        return [*found, history.known, clash.picked, clash.offered, clash.found, clash.asked]

    def words(self, texts: Texts) -> Changes:
        """Return what the tab always says."""
        changes: Changes = {}
        for part in self.words_of:
            changes |= part.words(texts)
        sheets = {FORM: self.form_sheet, TEXT: self.text_sheet}
        sheets |= {VERSIONS: self.versions_sheet, USES: self.uses_sheet}
        for name, sheet in sheets.items():
            changes[sheet] = gr.update(label=texts(f"styles.sheet_{name}"))
        for name in ("stay", "leave", "rebase", "as_yaml", "as_json"):
            changes[getattr(self, name)] = gr.update(value=texts(f"styles.{name}"))
        return changes | {self.fold: gr.update(label=texts("styles.clash"))}

    def turned(self, side: str) -> Changes:
        """Return the tab with that side seen."""
        return {
            self.side: side,
            self.front: gr.update(visible=side == SHELF),
            self.behind: gr.update(visible=side == CARD),
        }

    def put_down(self, texts: Texts, draft: Draft, library: Library, said: str = "") -> Changes:
        """Return the tab with a card opened from its beginning."""
        return {
            self.kept: draft.model_dump_json(),
            self.said: said,
            self.wanted: "",
            self.guard: gr.update(visible=False),
            self.rebase: gr.update(visible=False),
            self.sheets: gr.update(selected=FORM),
            self.uses: uses_html(texts, draft, library),
            **self.turned(CARD),
            **self.editor.show(texts, draft, library),
            **self.trial.offer(draft),
            **self.history.nothing(),
        }

    def guarded(
        self, texts: Texts, draft: Draft, wanted: Draft, library: Library, said: str = ""
    ) -> Changes:
        """Return the wanted card opened, or the question what becomes of the one that is open."""
        if not draft.dirty:
            return self.put_down(texts, wanted, library, said)
        if wanted.id and wanted.id == draft.id and not wanted.dirty:
            return {self.said: "", **self.turned(CARD), **self.editor.show(texts, draft, library)}
        return {
            self.wanted: wanted.model_dump_json(),
            self.said: why_html(texts("styles.guard", name=draft.id or texts("styles.unnamed"))),
            self.guard: gr.update(visible=True),
        }

    async def followed(self, texts: Texts, outcome: Outcome) -> Changes:
        """Return the tab after an order about the open card."""
        if outcome.done:
            self.source.stale()
        library = await self.source.library()
        if outcome.draft is None:
            return {self.kept: "", self.said: outcome.said, **self.turned(SHELF)}
        return {
            self.kept: outcome.draft.model_dump_json(),
            self.said: outcome.said,
            self.rebase: gr.update(visible=bool(outcome.theirs)),
            self.uses: uses_html(texts, outcome.draft, library),
            **self.editor.show(texts, outcome.draft, library, more=outcome.more),
            **(self.history.nothing() if outcome.done else {}),
        }
