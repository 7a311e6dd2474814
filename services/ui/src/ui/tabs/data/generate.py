"""Start a generation: quota, styles, turns, teacher, and what it will cost."""

from ui.tabs.data.desk import Desk
from ui.tabs.tab import Handle, joined


def build(desk: Desk) -> Handle:
    """Build the sheet into the current Gradio context."""
    return joined([])
