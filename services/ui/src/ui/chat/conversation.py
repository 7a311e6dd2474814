"""What a talk is made of: columns of messages, and what one writes and reads below them.

`Conversation` is one question to several models, which only the page keeps; the kept one is in
`ui.tabs.chat`.
"""

from collections.abc import Sequence
from html import escape
from typing import Any

import gradio as gr

from ui.catalog import Catalog, ServedModel
from ui.chat.panel import Panel, model_label
from ui.chat.talk import Talk, history_of
from ui.chat.turns import Turns, last_question
from ui.errors import ProblemError, StoreError
from ui.events import private
from ui.examples import EXAMPLES, EXAMPLES_SHOWN
from ui.handoff import handoff_html
from ui.notices import explanation, healed_html, problem_html, store_sentence
from ui.texts import Texts


class Composer:
    """Builds what is below a talk: what went wrong, where to find help, examples, the box.

    Args:
        name: prefix of the elements' ids.
    """

    def __init__(self, name: str) -> None:
        self.problem = gr.HTML(elem_id=f"{name}-problem", elem_classes="ts-problem-block")
        self.handoff = gr.HTML(elem_id=f"{name}-handoff", elem_classes="ts-handoff-block")
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
        self.worded: list[Any] = [self.problem, self.box, self.send, self.stop]

    def render_worded(self, texts: Texts, catalog: Catalog, failed: Any) -> list[Any]:
        """Return the updates of `worded`; `failed` is the problem to explain, or None."""
        return [
            failure_html(texts, catalog, failed),
            gr.update(placeholder=texts("chat.placeholder"), label=texts("chat.question")),
            gr.update(value=texts("chat.send")),
            gr.update(value=texts("chat.stop")),
        ]

    def render_healed(self, texts: Texts, catalog: Catalog, failed: Any) -> list[Any]:
        """Return the update of `problem` once what a message waited for is over."""
        passing = failed if isinstance(failed, ProblemError) else None
        healed = healed_html(texts, catalog, passing)
        return [gr.skip() if healed is None else healed]


class Conversation:
    """Builds a comparison into the current Gradio context: a column for each model.

    Args:
        talk: asks the models.
        panel: how they are asked.
        name: prefix of the elements' ids.
        empty: the locale keys of the greeting in an empty column.
    """

    def __init__(self, talk: Talk, panel: Panel, name: str, empty: Sequence[str]) -> None:
        self.panel = panel
        count = len(panel.models)
        self.turns = Turns(talk, count, panel.setup)
        self.empty = empty
        self.seats: list[gr.Column] = []
        self.columns: list[gr.Chatbot] = []
        self.onward: list[gr.Button] = []
        with gr.Row(elem_classes="ts-columns"):
            for number in range(count):
                self.add_column(f"{name}-{number}")
        self.composer = Composer(name)
        with gr.Row(elem_classes="ts-after"):
            self.retry = gr.Button("", size="sm", scale=0, elem_id=f"{name}-retry")
            self.clear = gr.Button("", size="sm", scale=0, elem_id=f"{name}-clear")
        # What depends on the choices in the panel, and what on the language alone.
        self.chosen: list[Any] = [*self.columns, *self.seats, *self.composer.questions]
        self.worded: list[Any] = [*self.composer.worded, self.composer.handoff]
        self.worded += [self.retry, self.clear, *self.onward]
        # What the browser keeps, so that a page that reloads itself loses nothing.
        self.kept: list[Any] = [*self.columns, self.composer.box]

    def add_column(self, name: str) -> None:
        """Build one column, and the way on from it."""
        with gr.Column(elem_classes="ts-column", min_width=0, scale=1) as seat:
            self.columns.append(chat_column(name))
            self.onward.append(
                gr.Button("", size="sm", elem_classes="ts-onward", elem_id=f"{name}-onward")
            )
        self.seats.append(seat)

    def render_chosen(
        self, texts: Texts, catalog: Catalog, models: Sequence[ServedModel | None], spoken: str
    ) -> list[Any]:
        """Return the updates of `chosen`, never what was said.

        Args:
            texts: the words.
            catalog: what there is.
            models: the model of each column; None: it is not asked, or there is none.
            spoken: language of the style, in which the examples are.
        """
        greeting = greeting_html(texts, self.empty)
        optional = [preference == "none" for preference in self.panel.preferences]
        return [
            *(
                gr.update(label=column_title(texts, catalog, model), placeholder=greeting)
                for model in models
            ),
            *(
                gr.update(visible=model is not None or not free)
                for model, free in zip(models, optional, strict=True)
            ),
            *(gr.update(value=question) for question in EXAMPLES[spoken]),
        ]

    def render_worded(self, texts: Texts, catalog: Catalog, failed: Any, first: Any) -> list[Any]:
        """Return the updates of `worded`; `first` is what the first column shows."""
        asked = last_question(history_of(first)) or ""
        return [
            *self.composer.render_worded(texts, catalog, failed),
            handoff_html(texts, asked, texts.language),
            gr.update(value=texts("chat.retry")),
            gr.update(value=texts("chat.clear")),
            *(gr.update(value=texts("compare.onward")) for _ in self.onward),
        ]

    def wire(self, language: gr.Radio) -> None:
        """Connect the buttons. Nothing here is a named endpoint: see `ui.api` for that."""
        below, turns = self.composer, self.turns
        asked = [*self.columns, *self.panel.controls, language]
        changed = [*self.columns, below.problem, below.failed, below.handoff, below.examples]
        changed += [below.box, below.send, below.stop]
        talking: dict[str, Any] = {"outputs": changed, "preprocess": False, **private()}
        again = [self.retry.click, *(column.retry for column in self.columns)]
        runs = [
            gr.on([below.box.submit, below.send.click], turns.ask, [below.box, *asked], **talking),
            gr.on(again, turns.again, asked, **talking),
            *(button.click(turns.ask, [button, *asked], **talking) for button in below.questions),
        ]
        ending: dict[str, Any] = {"cancels": runs, "queue": False, **private()}
        below.stop.click(turns.stopped, None, changed, **ending)
        emptied = [self.clear.click, *(column.clear for column in self.columns)]
        gr.on(emptied, turns.cleared, None, changed, **ending)


def chat_column(element_id: str, **options: Any) -> gr.Chatbot:
    """Return one column of messages: no raw HTML, no formulas."""
    return gr.Chatbot(
        elem_id=element_id,
        elem_classes="ts-chat",
        layout="bubble",
        buttons=["copy"],
        latex_delimiters=[],
        allow_tags=False,
        height=None,
        min_width=0,
        **{"feedback_options": None, **options},
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


def greeting_html(texts: Texts, keys: Sequence[str]) -> str:
    """Return what an empty column says."""
    lines = "".join(f"<p>{escape(texts(key))}</p>" for key in keys)
    return f'<div class="ts-greeting">{lines}</div>'


def column_title(texts: Texts, catalog: Catalog, model: ServedModel | None) -> str:
    """Return the title of a column: the model that speaks in it."""
    return model_label(texts, catalog, model) if model else texts("panel.no_models")


def failure_html(texts: Texts, catalog: Catalog, failed: Any) -> str:
    """Return why there is no reply, or why something could not be kept; or nothing."""
    if isinstance(failed, StoreError):
        return explanation([store_sentence(texts, failed)], "alert")
    return problem_html(texts, catalog, failed if isinstance(failed, ProblemError) else None)
