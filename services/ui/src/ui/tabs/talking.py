"""How a panel's choices are rendered with the talk beside it: in Chat and in Compare."""

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from ui.catalog import Catalog, ServedModel
from ui.chat.panel import Panel, deciding_name
from ui.events import private
from ui.tabs.tab import Part, Workbench
from ui.texts import Texts, texts_for

# Renders what depends on the models and on the language of the style that are chosen.
Said = Callable[[Texts, Catalog, Sequence[ServedModel | None], str], list[Any]]


def choices_of(bench: Workbench, panel: Panel, outputs: Sequence[Any], said: Said) -> Part:
    """Return how choices are rendered, and render them when the reader chooses.

    Args:
        bench: what the tab is built with.
        panel: the choices.
        outputs: what `said` renders beside them.
        said: renders it.
    """

    def choices(texts: Texts, catalog: Catalog, *picked: Any) -> list[Any]:
        style_id, *names, _ = picked
        models = panel.chosen(catalog, names)
        style = catalog.style_for(deciding_name(models), style_id)
        spoken = style.language if style else texts.language
        return [*panel.render(texts, catalog, *picked), *said(texts, catalog, models, spoken)]

    async def picked(language: Any, *values: Any) -> list[Any]:
        found = choices(texts_for(language), await bench.talk.source.known(), *values)
        return unsent(found, [part.outputs.index(picker) for picker in pickers], values)

    async def told(language: Any, *values: Any) -> Any:
        rendered = panel.render(texts_for(language), await bench.talk.source.known(), *values)
        return rendered[panel.outputs.index(panel.system)]

    pickers: list[Any] = [panel.style, *panel.models]
    part = Part(panel.inputs, [*panel.outputs, *outputs], choices)
    quick: dict[str, Any] = {"queue": False, "preprocess": False, "trigger_mode": "always_last"}
    inputs = [bench.language, *part.inputs]
    chosen = [picker.input for picker in pickers]
    gr.on(chosen, picked, inputs, part.outputs, **quick, **private())
    # A text is also pasted, or written by an input method: no key is pressed then.
    panel.own.change(told, inputs, [panel.system], **quick, **private())
    return part


def unsent(updates: Sequence[Any], places: Sequence[int], values: Sequence[Any]) -> list[Any]:
    """Return updates that leave alone what was picked.

    Who goes through the choices by keys has picked the next one by now: sent back, the last one
    would take its place.
    """
    found = list(updates)
    for place, value in zip(places, values, strict=False):
        if found[place].get("value") == value:
            found[place] = {key: said for key, said in found[place].items() if key != "value"}
    return found
