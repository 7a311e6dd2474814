"""A timer that costs nobody a call while its tab is not the one that is seen."""

from typing import Any

import gradio as gr

from ui.events import QUICK
from ui.tabs.tab import Workbench


class Clock:
    """Builds the timer into the tab that is being built; connect `timer.tick`.

    Args:
        bench: what the tab is built with.
        seconds: between two ticks.
    """

    def __init__(self, bench: Workbench, seconds: float) -> None:
        # Tabs are known by their place in the row; the one that is being built is the last so far.
        self.place = len(bench.tabs.children) - 1
        self.timer = gr.Timer(seconds, active=False)
        bench.tabs.select(self.watch, None, [self.timer], **QUICK)

    def watch(self, chosen: gr.SelectData) -> Any:
        """Let the timer run while its tab is seen."""
        return gr.Timer(active=chosen.index == self.place)
