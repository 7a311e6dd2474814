"""The left of the Chat tab: a person's conversations, found again by their words."""

from typing import Any

import gradio as gr

from ui.access.visitors import current_user
from ui.chat.history_html import list_html
from ui.errors import StoreError
from ui.events import QUICK, private
from ui.kept.conversations import PAGE, Conversations
from ui.kept.scribe import in_store
from ui.notices import explanation, store_sentence
from ui.scripts import script
from ui.texts import Texts, texts_for

# What one person may keep at most; nobody is ever listed more.
MOST = 500


class HistoryList:
    """Builds the list into the current Gradio context.

    Args:
        store: where conversations are kept.
    """

    def __init__(self, store: Conversations) -> None:
        self.store = store
        self.fold = gr.Button("", elem_id="chat-fold", size="sm")
        self.new = gr.Button("", elem_id="chat-new", size="sm", variant="secondary")
        self.search = gr.Textbox(
            show_label=False, container=False, max_length=200, elem_id="chat-search"
        )
        self.listed = gr.HTML(
            elem_id="chat-list", elem_classes="ts-list", js_on_load=script("pick.js")
        )
        self.bring = gr.UploadButton(
            "", type="binary", size="sm", file_types=[".json"], elem_id="chat-import"
        )
        # How many are listed.
        self.reach = gr.State(PAGE)
        self.worded: list[Any] = [self.fold, self.new, self.search, self.bring]

    def wire(self, current: gr.Textbox, language: gr.Radio) -> None:
        """Connect what changes the list by itself."""
        self.inputs = [self.search, self.reach, current, language]
        blocks = gr.context.Context.root_block
        assert blocks is not None
        told = [blocks.load, language.change, current.change]
        gr.on(told, self.refresh, self.inputs, [self.listed], trigger_mode="always_last", **QUICK)
        # `input` is for keys alone: neither what is pasted nor what an input method writes.
        self.search.change(
            self.found, self.inputs, [self.reach, self.listed], trigger_mode="always_last", **QUICK
        )
        self.fold.click(None, None, None, js=script("unfold.js"), **private())

    async def found(self, search: Any, _: Any, current: Any, language: Any) -> list[Any]:
        """Return the first of what is looked for."""
        return [PAGE, await self.refresh(search, PAGE, current, language)]

    async def refresh(self, search: Any, reach: Any, current: Any, language: Any) -> str:
        """Return the list."""
        texts, words = texts_for(language), str(search or "")
        count = min(int(reach or PAGE), MOST)
        try:
            found = await in_store(self.store.listed, current_user(), words, 0, count + 1)
        except StoreError as error:
            return explanation([store_sentence(texts, error)], "alert")
        more = len(found) > count
        return list_html(texts, found[:count], str(current or ""), more=more, search=words)

    def render_worded(self, texts: Texts) -> list[Any]:
        """Return the updates of `worded`."""
        return [
            gr.update(value=texts("history.fold")),
            gr.update(value=texts("history.new")),
            gr.update(label=texts("history.search"), placeholder=texts("history.search")),
            gr.update(label=texts("history.import")),
        ]
