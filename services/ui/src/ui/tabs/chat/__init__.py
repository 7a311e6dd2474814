"""Chat with one model in one style; what is said is kept, with all its branches, for its person."""

from typing import Any

import gradio as gr

from ui.catalog import Catalog
from ui.chat.panel import Panel, Preference
from ui.events import QUICK, private
from ui.tabs.chat.actions import Actions
from ui.tabs.chat.desk import Desk
from ui.tabs.chat.dialogue import Dialogue
from ui.tabs.chat.history_list import HistoryList
from ui.tabs.chat.verdicts import Verdicts
from ui.tabs.chat.window import Window
from ui.tabs.tab import Handle, Part, Workbench
from ui.tabs.talking import choices_of
from ui.texts import Texts

MODEL: tuple[str, Preference] = ("panel.model", "tuned")


class Chat:
    """Builds the tab into the current Gradio context: list, talk, panel.

    Args:
        bench: what tabs are built with.
    """

    def __init__(self, bench: Workbench) -> None:
        with gr.Row(elem_classes="ts-stage ts-chatting"):
            with gr.Column(elem_classes="ts-history", elem_id="chat-history", min_width=0, scale=0):
                self.history = HistoryList(bench.kept.conversations)
            with gr.Column(elem_classes="ts-talk", scale=1, min_width=300):
                self.actions = Actions()
                self.window = Window(self.actions.heading)
            with gr.Column(elem_classes="ts-panel", scale=0, min_width=300):
                self.panel = Panel("chat", [MODEL], bench.settings.max_tokens)
        self.dialogue = Dialogue(bench.talk, bench.kept, self.window, self.panel.setup)
        self.verdicts = Verdicts(bench.kept.ballots, self.window)
        self.desk = Desk(
            bench.kept,
            self.window,
            self.history,
            self.actions,
            panel=self.panel,
            dialogue=self.dialogue,
            verdicts=self.verdicts,
        )
        self.history.wire(self.window.current, bench.language)
        self.desk.wire(bench.language)
        self.verdicts.wire(bench.language)
        self.wire(bench)

    def wire(self, bench: Workbench) -> None:
        """Connect what streams; the list follows when it has ended."""
        window, dialogue, below = self.window, self.dialogue, self.window.composer
        asked = [window.screen, *self.panel.controls, bench.language]
        talking: dict[str, Any] = {"outputs": window.outputs, "preprocess": False, **private()}
        runs = [
            gr.on(
                [below.box.submit, below.send.click], dialogue.ask, [below.box, *asked], **talking
            ),
            gr.on([window.retry.click, window.chat.retry], dialogue.again, asked, **talking),
            window.chat.edit(dialogue.edit, asked, **talking),
            *(
                button.click(dialogue.ask, [button, *asked], **talking)
                for button in below.questions
            ),
        ]
        for run in runs:
            run.then(self.history.refresh, self.history.inputs, [self.history.listed], **QUICK)
        below.stop.click(dialogue.stop, None, window.outputs, **QUICK)

    def handle(self, bench: Workbench) -> Handle:
        """Return how the tab is rendered."""
        window, below = self.window, self.window.composer
        rest = [*self.history.worded, *self.actions.worded]

        def words(texts: Texts, catalog: Catalog, failed: Any, shown: Any) -> list[Any]:
            return [
                *window.render_worded(texts, catalog, failed, shown),
                *self.history.render_worded(texts),
                *self.actions.render_worded(texts),
            ]

        def said(texts: Texts, catalog: Catalog, models: Any, spoken: str) -> list[Any]:
            return window.render_chosen(texts, catalog, models[0], spoken)

        return Handle(
            choices_of(bench, self.panel, window.chosen, said),
            Part([below.failed, window.screen], [*window.worded, *rest], words),
            Part([below.failed], [below.problem], below.render_healed),
            [window.current, below.box],
        )


def build(bench: Workbench) -> Handle:
    """Build the tab into the current Gradio context."""
    return Chat(bench).handle(bench)
