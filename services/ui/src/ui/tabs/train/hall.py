"""What the sheets of the Train tab share, and the two questions that several of them ask."""

from typing import Any

import gradio as gr

from ui.tabs.tab import Workbench
from ui.training.source import TrainingSource
from ui.upstream.backend import Backend


class Hall:
    """What is shared; the sheets are built after it.

    Args:
        bench: what tabs are built with.

    Attributes:
        here: the name of the sheet that is seen: a clock ticks for that one only.
        picked: the run that the reader picked, or nothing.
        sheets: the row of sheets; `sheet` is the one that is being built.
    """

    sheets: gr.Tabs
    sheet: gr.Tab

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.backend: Backend = bench.talk.backend
        self.source = TrainingSource(self.backend)
        self.here, self.picked = gr.State("runs"), gr.State("")


class Confirm:
    """A question before something that cannot be taken back: hidden until it is asked.

    Args:
        name: prefix of the elements' ids.
    """

    def __init__(self, name: str) -> None:
        # What is asked about: an id of a run or a model, and what is done with it.
        self.about = gr.State("")
        with gr.Column(visible=False, elem_classes="ts-run-ask", elem_id=name) as self.box:
            self.question = gr.HTML(elem_id=f"{name}-question")
            with gr.Row():
                self.yes = gr.Button("", variant="stop", size="sm", elem_id=f"{name}-yes")
                self.no = gr.Button("", size="sm", elem_id=f"{name}-no")
        self.outputs: list[Any] = [self.about, self.box, self.question]

    def ask(self, about: str, question: str) -> list[Any]:
        """Return the updates that ask."""
        return [about, gr.update(visible=True), question]

    @staticmethod
    def over() -> list[Any]:
        """Return the updates after an answer."""
        return ["", gr.update(visible=False), ""]


def picker(name: str) -> gr.Dropdown:
    """Return the picker of what a sheet looks at: a run, or a model."""
    return gr.Dropdown(
        choices=[], interactive=True, filterable=False, elem_classes="ts-model", elem_id=name
    )
