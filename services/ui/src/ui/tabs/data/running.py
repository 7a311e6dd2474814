"""Generations, live: progress of each style, and why rows were refused."""

from ui.tabs.data.desk import Desk
from ui.tabs.tab import Handle, joined


def build(desk: Desk) -> Handle:
    """Build the sheet into the current Gradio context."""
    return joined([])
