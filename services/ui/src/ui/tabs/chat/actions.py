"""The buttons at a conversation's title, and what they ask before they act."""

from html import escape
from typing import Any

import gradio as gr

from ui.texts import Texts

BUTTONS = ("rename", "markdown", "json", "delete")


class Actions:
    """Builds the buttons at the title, and what they ask, into the current Gradio context."""

    def __init__(self) -> None:
        with gr.Row(elem_classes="ts-chat-title"):
            # What has no title yet says so; the sheet shows one of the two.
            self.untitled = gr.HTML(elem_id="chat-untitled", elem_classes="ts-heading")
            self.heading = gr.HTML(elem_id="chat-heading", elem_classes="ts-heading")
            with gr.Row(elem_classes="ts-after ts-chat-actions"):
                self.buttons = {
                    name: gr.Button("", size="sm", scale=0, elem_id=f"chat-{name}")
                    for name in BUTTONS
                }
        with gr.Row(
            visible=False, elem_id="chat-renaming", elem_classes="ts-asks"
        ) as self.renaming:
            self.title = gr.Textbox(max_length=80, scale=1, elem_id="chat-title")
            self.name_it = gr.Button("", size="sm", variant="primary", scale=0)
            self.keep_name = gr.Button("", size="sm", scale=0)
        with gr.Row(
            visible=False, elem_id="chat-deleting", elem_classes="ts-asks"
        ) as self.deleting:
            self.warning = gr.HTML()
            self.delete_it = gr.Button("", size="sm", variant="stop", scale=0)
            self.spare_it = gr.Button("", size="sm", scale=0)
        # A file on its way to the browser.
        self.made = gr.Textbox(visible=False)
        self.worded: list[Any] = [self.untitled, *self.buttons.values()]
        self.worded += [self.title, self.warning]
        self.worded += [self.name_it, self.keep_name, self.delete_it, self.spare_it]
        self.asked: list[Any] = [self.renaming, self.deleting]

    def render_worded(self, texts: Texts) -> list[Any]:
        """Return the updates of `worded`."""
        keys = [f"history.{name}" for name in BUTTONS]
        return [
            f"<h2>{escape(texts('history.untitled'))}</h2>",
            *(gr.update(value=texts(key)) for key in keys),
            gr.update(label=texts("history.title")),
            f"<p>{escape(texts('history.sure'))}</p>",
            gr.update(value=texts("history.name_it")),
            gr.update(value=texts("chat.close")),
            gr.update(value=texts("history.delete_it")),
            gr.update(value=texts("chat.close")),
        ]
