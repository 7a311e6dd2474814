"""The middle of the Chat tab: title, what is said, what is to be said of it, and the box."""

from html import escape
from typing import Any

import gradio as gr

from ui.catalog import Catalog, ServedModel
from ui.chat.branch_picker import below_html
from ui.chat.conversation import Composer, chat_column, column_title, failure_html, greeting_html
from ui.chat.screen import DISLIKE, LIKE, Screen, feedback_of, rows_of
from ui.chat.turns import hidden, visible
from ui.examples import EXAMPLES
from ui.handoff import handoff_html
from ui.scripts import script
from ui.texts import Texts

GREETING = ("chat.greeting", "chat.greeting_hint")
AFTER = ("retry", "correct")


class Window:
    """Builds it into the current Gradio context, below a heading.

    Args:
        heading: shows the title.
    """

    def __init__(self, heading: gr.HTML) -> None:
        # What is open, on the server and, by its id, in the browser, which remembers it.
        self.screen = gr.State(Screen())
        self.current = gr.Textbox(visible=False, elem_id="chat-current")
        self.heading = heading
        with gr.Row(elem_classes="ts-columns"):
            self.chat = chat_column(
                "chat-0", feedback_options=(LIKE, DISLIKE), editable="user", show_label=False
            )
        self.below = gr.HTML(
            elem_id="chat-below",
            elem_classes="ts-remarks",
            js_on_load=script("pick.js", "forks.js"),
        )
        with gr.Column(
            visible=False, elem_id="chat-correction", elem_classes="ts-asks"
        ) as self.ask:
            self.asked_for = gr.HTML(elem_classes="ts-quoted")
            self.correction = gr.Textbox(lines=3, max_lines=8, max_length=8000)
            with gr.Row(elem_classes="ts-after"):
                self.keep = gr.Button("", size="sm", variant="primary", scale=0)
                self.close = gr.Button("", size="sm", scale=0)
        self.composer = Composer("chat")
        with gr.Row(elem_classes="ts-after"):
            self.retry = gr.Button("", size="sm", scale=0, elem_id="chat-retry")
            self.correct = gr.Button("", size="sm", scale=0, elem_id="chat-correct")
        self.chosen: list[Any] = [self.chat, *self.composer.questions]
        self.worded: list[Any] = [
            *self.composer.worded,
            self.below,
            self.composer.handoff,
            self.correction,
            self.keep,
            self.close,
            self.retry,
            self.correct,
        ]

    @property
    def resting(self) -> dict[Any, Any]:
        """The buttons while nothing is being said."""
        return {self.composer.send: visible(), self.composer.stop: hidden()}

    @property
    def speaking(self) -> dict[Any, Any]:
        """The buttons while a reply comes."""
        return {self.composer.send: hidden(), self.composer.stop: visible()}

    @property
    def outputs(self) -> list[Any]:
        """All that an event may change."""
        below = self.composer
        return [
            self.screen,
            self.current,
            self.heading,
            self.chat,
            self.below,
            self.ask,
            self.asked_for,
            self.correction,
            below.problem,
            below.failed,
            below.handoff,
            below.box,
            below.send,
            below.stop,
        ]

    def opened(self, texts: Texts, screen: Screen) -> dict[Any, Any]:
        """Return the updates that show a conversation, at rest."""
        return {
            **self.titled(screen),
            self.current: screen.id,
            self.chat: gr.update(value=rows_of(screen.path), feedback_value=feedback_of(screen)),
            self.below: below_html(texts, screen),
            self.ask: hidden(),
            self.composer.handoff: handoff_html(texts, screen.last_question, texts.language),
            **self.resting,
        }

    def titled(self, screen: Screen) -> dict[Any, Any]:
        """Return the updates that show a conversation's title."""
        return {self.screen: screen, self.heading: heading_html(screen)}

    def failed(self, texts: Texts, catalog: Catalog, problem: Any) -> dict[Any, Any]:
        """Return the updates that say what went wrong; None: nothing did."""
        explained = failure_html(texts, catalog, problem)
        return {self.composer.problem: explained, self.composer.failed: problem}

    def render_chosen(
        self, texts: Texts, catalog: Catalog, model: ServedModel | None, spoken: str
    ) -> list[Any]:
        """Return the updates of `chosen`, never what was said."""
        return [
            gr.update(
                label=column_title(texts, catalog, model),
                placeholder=greeting_html(texts, GREETING),
            ),
            *(gr.update(value=question) for question in EXAMPLES[spoken]),
        ]

    def render_worded(self, texts: Texts, catalog: Catalog, failed: Any, shown: Any) -> list[Any]:
        """Return the updates of `worded`; `shown` is what is open."""
        # While a page loads nothing is open yet, and what it recalls must not be emptied again.
        said: list[Any] = [gr.skip(), gr.skip()]
        if isinstance(shown, Screen) and shown.id:
            care = handoff_html(texts, shown.last_question, texts.language)
            said = [below_html(texts, shown), care]
        return [
            *self.composer.render_worded(texts, catalog, failed),
            *said,
            gr.update(label=texts("chat.correction"), info=texts("chat.correction_info")),
            gr.update(value=texts("chat.keep")),
            gr.update(value=texts("chat.close")),
            *(gr.update(value=texts(f"chat.{key}")) for key in AFTER),
        ]


def heading_html(screen: Screen) -> str:
    """Return the title of what is open, or nothing while it has none."""
    return f"<h2>{escape(screen.title)}</h2>" if screen.title else ""
