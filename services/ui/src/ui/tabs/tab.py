"""What a tab is: an id, and a function that builds it and says how to put words to it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui.catalog import Catalog
from ui.config import UiSettings
from ui.conversation import Conversation, private
from ui.panel import Panel
from ui.talk import Talk
from ui.texts import DEFAULT, Texts, as_language, texts_in


@dataclass(frozen=True)
class Workbench:
    """What tabs are built with."""

    settings: UiSettings
    talk: Talk
    language: gr.Radio


@dataclass(frozen=True)
class Handle:
    """A built tab. `render(texts, catalog, *inputs)` returns the updates of `outputs`.

    The page calls it on loading, when the language changes, and when the services offer
    something new; it must leave alone what the reader did.
    """

    inputs: list[Any]
    outputs: list[Any]
    render: Callable[..., list[Any]]


@dataclass(frozen=True)
class Tab:
    """A tab; its title is the locale key `tab.<id>`."""

    id: str
    build: Callable[[Workbench], Handle]


def talking_tab(bench: Workbench, panel: Panel, conversation: Conversation) -> Handle:
    """Connect a conversation with the panel beside it."""
    conversation.wire(panel, bench.language)

    def render_choices(texts: Texts, catalog: Catalog, *picked: Any) -> list[Any]:
        models = panel.chosen(catalog, [name or None for name in picked[1:]])
        style = catalog.style_for(models[-1].name if models[-1] else None, picked[0])
        spoken = style.language if style else texts.language
        said = conversation.render_chosen(texts, catalog, models, spoken)
        return [*panel.render(texts, catalog, *picked), *said]

    def render(texts: Texts, catalog: Catalog, *values: Any) -> list[Any]:
        *picked, failed = values
        words = conversation.render_worded(texts, catalog, failed)
        return [*render_choices(texts, catalog, *picked), *words]

    async def picked(language: Any, *values: Any) -> list[Any]:
        texts = texts_in(as_language(language) or DEFAULT)
        return render_choices(texts, await bench.talk.source.known(), *values)

    choices = [*panel.outputs, *conversation.chosen]
    gr.on(
        [picker.input for picker in panel.inputs],
        picked,
        [bench.language, *panel.inputs],
        choices,
        queue=False,
        preprocess=False,
        **private(),
    )
    return Handle(
        inputs=[*panel.inputs, conversation.failed],
        outputs=[*choices, *conversation.worded],
        render=render,
    )
