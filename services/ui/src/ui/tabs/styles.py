"""The library of styles: cards, an editor, what became of each version."""

from ui.tabs.tab import Handle, Workbench, joined


def build(bench: Workbench) -> Handle:
    """Build the tab into the current Gradio context."""
    return joined([])
