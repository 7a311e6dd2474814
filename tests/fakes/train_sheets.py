"""The sheets of the Train tab, built without the page around them."""

from typing import Any

import gradio as gr

from fakes.stack import Stack
from ui.catalog import CatalogSource
from ui.chat.talk import Talk
from ui.config import UiSettings
from ui.drain import Drain
from ui.kept.keeping import keeping
from ui.tabs.tab import Workbench
from ui.tabs.train import build
from ui.upstream.backend import Backend


def train_sheets(backend: Backend, stack: Stack) -> dict[type, Any]:
    """Return the objects whose methods the tab calls, by their types."""
    settings = UiSettings.from_environ(stack.urls)
    talk = Talk(backend, CatalogSource(backend), settings.max_tokens, Drain(5))
    with gr.Blocks() as blocks:
        language = gr.Radio(["zh", "en"])
        with gr.Tabs() as row, gr.Tab("train") as item:
            kept = keeping(settings.state_dir)
            build(Workbench(settings, talk, kept, language, item, row))
    owners = [getattr(function.fn, "__self__", None) for function in blocks.fns.values()]
    return {type(owner): owner for owner in owners}
