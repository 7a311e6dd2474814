"""Proof that a style took: the report, replies side by side, and a blind arena."""

from ui.tabs.tab import Handle, Workbench, joined


def build(bench: Workbench) -> Handle:
    """Build the tab into the current Gradio context."""
    return joined([])
