"""How the choices beside a talk are rendered."""

from types import SimpleNamespace
from typing import Any

import gradio as gr

from ui.catalog import Catalog
from ui.chat.panel import Panel
from ui.tabs.talking import choices_of
from unit.ui.test_panel import CATALOG


async def test_choice_that_was_made_is_not_sent_back() -> None:
    """Who goes through the styles by keys has picked the next one when the answer comes."""

    async def known() -> Catalog:
        return CATALOG

    with gr.Blocks(analytics_enabled=False) as blocks:
        panel = Panel("x", [("panel.model", "tuned")], 256)
        source = SimpleNamespace(known=known)
        bench: Any = SimpleNamespace(language=gr.Radio(), talk=SimpleNamespace(source=source))
        choices_of(bench, panel, [], lambda *_: [])
    (picked,) = (each.fn for each in blocks.fns.values() if each.name == "picked")
    assert picked is not None
    style, card, model, *_ = await picked("en", "gentle", "tonesmith", "")
    assert style["choices"]
    assert "value" not in style
    assert "value" not in model
    assert "ts-card" in card
    style, _, model, *_ = await picked("en", "gone", "", "")
    assert (style["value"], model["value"]) == ("tsundere", "tonesmith")
