"""Chat with one model in one style."""

import gradio as gr

from ui.conversation import Conversation
from ui.panel import Panel
from ui.tabs.tab import Handle, Workbench, talking_tab


def build(bench: Workbench) -> Handle:
    """Build the tab into the current Gradio context."""
    with gr.Row(elem_classes="ts-stage"):
        with gr.Column(elem_classes="ts-panel", scale=0, min_width=300):
            panel = Panel([("panel.model", "tuned")], bench.settings.max_tokens)
        with gr.Column(elem_classes="ts-talk", scale=1, min_width=300):
            conversation = Conversation(
                bench.talk, "chat", 1, ["chat.greeting", "chat.greeting_hint"]
            )
    return talking_tab(bench, panel, conversation)
