"""The same question to two models side by side: what the training changed."""

import gradio as gr

from ui.conversation import Conversation
from ui.panel import Panel
from ui.tabs.tab import Handle, Workbench, talking_tab


def build(bench: Workbench) -> Handle:
    """Build the tab into the current Gradio context."""
    with gr.Row(elem_classes="ts-stage"):
        with gr.Column(elem_classes="ts-panel", scale=0, min_width=300):
            panel = Panel(
                [("compare.left", "base"), ("compare.right", "tuned")],
                bench.settings.max_tokens,
            )
        with gr.Column(elem_classes="ts-talk", scale=1, min_width=300):
            conversation = Conversation(
                bench.talk,
                "compare",
                2,
                ["compare.empty", "compare.hint"],
            )
    return talking_tab(bench, panel, conversation)
