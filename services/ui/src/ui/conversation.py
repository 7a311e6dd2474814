"""A conversation with one model, or the same one with several, column by column."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from ui.catalog import Catalog, ServedModel
from ui.examples import EXAMPLES, EXAMPLES_SHOWN
from ui.notices import healed_html, problem_html
from ui.panel import Panel, model_label
from ui.talk import Talk
from ui.texts import Texts
from ui.turns import Turns

BUTTONS = ("send", "stop", "retry", "clear")


class Conversation:
    """Builds chat columns and their composer into the current Gradio context.

    Args:
        talk: asks the models.
        name: prefix of the elements' ids.
        columns: how many models are asked at once.
        empty: the locale keys of the greeting in an empty column.
    """

    def __init__(self, talk: Talk, name: str, columns: int, empty: Sequence[str]) -> None:
        self.turns = Turns(talk, columns)
        self.empty = empty
        with gr.Row(elem_classes="ts-columns"):
            self.columns = [chat_column(f"{name}-{number}") for number in range(columns)]
        self.problem = gr.HTML(elem_id=f"{name}-problem", elem_classes="ts-problem-block")
        self.failed = gr.State(None)
        with gr.Row(elem_classes="ts-examples", elem_id=f"{name}-examples") as self.examples:
            self.questions = [
                gr.Button("", elem_classes="ts-example", size="sm") for _ in range(EXAMPLES_SHOWN)
            ]
        with gr.Row(elem_classes="ts-composer"):
            self.box = question_box(f"{name}-box")
            self.send = gr.Button("", variant="primary", scale=0, elem_id=f"{name}-send")
            self.stop = gr.Button(
                "", variant="stop", scale=0, visible=False, elem_id=f"{name}-stop"
            )
        with gr.Row(elem_classes="ts-after"):
            self.retry = gr.Button("", size="sm", scale=0, elem_id=f"{name}-retry")
            self.clear = gr.Button("", size="sm", scale=0, elem_id=f"{name}-clear")
        # What depends on the choices in the panel, and what on the language alone.
        self.chosen: list[Any] = [*self.columns, *self.questions]
        self.worded: list[Any] = [self.problem, self.box]
        # What the browser keeps, so that a page that reloads itself loses nothing.
        self.kept: list[Any] = [*self.columns, self.box]
        self.worded += [self.send, self.stop, self.retry, self.clear]

    def render_chosen(
        self, texts: Texts, catalog: Catalog, models: Sequence[ServedModel | None], spoken: str
    ) -> list[Any]:
        """Return the updates of `chosen`, never what was said.

        Args:
            texts: the words.
            catalog: what there is.
            models: the model of each column.
            spoken: language of the style, in which the examples are.
        """
        lines = "".join(f"<p>{texts(key)}</p>" for key in self.empty)
        greeting = f'<div class="ts-greeting">{lines}</div>'
        return [
            *(
                gr.update(label=column_title(texts, catalog, model), placeholder=greeting)
                for model in models
            ),
            *(gr.update(value=question) for question in EXAMPLES[spoken]),
        ]

    def render_worded(self, texts: Texts, catalog: Catalog, failed: Any) -> list[Any]:
        """Return the updates of `worded`; `failed` is the problem to explain, or None."""
        return [
            problem_html(texts, catalog, failed),
            gr.update(placeholder=texts("chat.placeholder"), label=texts("chat.question")),
            *(gr.update(value=texts(f"chat.{key}")) for key in BUTTONS),
        ]

    def render_healed(self, texts: Texts, catalog: Catalog, failed: Any) -> list[Any]:
        """Return the update of `problem` once what a message waited for is over."""
        healed = healed_html(texts, catalog, failed)
        return [gr.skip() if healed is None else healed]

    def wire(self, panel: Panel, language: gr.Radio) -> None:
        """Connect the buttons. Nothing here is a named endpoint: see `ui.api` for that."""
        asked = [*self.columns, panel.style, *panel.models, panel.temperature, panel.max_tokens]
        asked.append(language)
        changed = [*self.columns, self.problem, self.failed, self.examples]
        changed += [self.box, self.send, self.stop]
        talking: dict[str, Any] = {"outputs": changed, "preprocess": False, **private()}
        turns = self.turns
        again = [self.retry.click, *(column.retry for column in self.columns)]
        runs = [
            gr.on([self.box.submit, self.send.click], turns.ask, [self.box, *asked], **talking),
            gr.on(again, turns.again, asked, **talking),
            *(button.click(turns.ask, [button, *asked], **talking) for button in self.questions),
        ]
        ending: dict[str, Any] = {"cancels": runs, "queue": False, **private()}
        self.stop.click(turns.stopped, None, changed, **ending)
        emptied = [self.clear.click, *(column.clear for column in self.columns)]
        gr.on(emptied, turns.cleared, None, changed, **ending)


def chat_column(element_id: str) -> gr.Chatbot:
    """Return one column of messages: no raw HTML, no formulas."""
    return gr.Chatbot(
        elem_id=element_id,
        elem_classes="ts-chat",
        layout="bubble",
        buttons=["copy"],
        latex_delimiters=[],
        allow_tags=False,
        height=None,
        feedback_options=None,
        min_width=0,
    )


def question_box(element_id: str) -> gr.Textbox:
    """Return the box to write in; its label is for screen readers only."""
    return gr.Textbox(
        show_label=False,
        container=False,
        lines=1,
        max_lines=6,
        scale=1,
        elem_id=element_id,
    )


def column_title(texts: Texts, catalog: Catalog, model: ServedModel | None) -> str:
    """Return the title of a column: the model that speaks in it."""
    return model_label(texts, catalog, model) if model else texts("panel.no_models")


def private() -> dict[str, Any]:
    """Return the options of an event that only the page itself fires."""
    return {"api_visibility": "private", "show_progress": "hidden"}
