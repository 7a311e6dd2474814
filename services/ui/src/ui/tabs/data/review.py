"""The review workbench: accept, refuse, edit and regenerate rows, by keyboard or in bulk."""

from ui.tabs.data.desk import Desk
from ui.tabs.tab import Handle, joined


def build(desk: Desk) -> Handle:
    """Build the sheet into the current Gradio context."""
    return joined([])
