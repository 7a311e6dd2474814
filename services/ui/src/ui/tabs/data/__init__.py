"""Data: generate rows and watch it, review them, see what is covered, and keep versions.

Each sheet of the tab is a module with `build(desk) -> Handle` and a line in `SHEETS`.
"""

from collections.abc import Callable

import gradio as gr

from ui.catalog import Catalog
from ui.tabs.data import (
    coverage,
    generate,
    importing,
    report_card,
    review,
    running,
    versions,
)
from ui.tabs.data.desk import Desk
from ui.tabs.tab import Handle, Workbench, joined, words_only
from ui.texts import Texts

SHEETS: tuple[tuple[str, Callable[[Desk], Handle]], ...] = (
    ("generate", generate.build),
    ("running", running.build),
    ("review", review.build),
    ("coverage", coverage.build),
    ("report_card", report_card.build),
    ("versions", versions.build),
    ("importing", importing.build),
)


def build(bench: Workbench) -> Handle:
    """Build the tab into the current Gradio context."""
    desk = Desk(bench)
    handles = [desk.handle]
    items = []
    with gr.Tabs(elem_id="data-sheets", overflow_behavior="wrap") as desk.sheets:
        for name, sheet in SHEETS:
            with gr.Tab(name, id=name, elem_id=f"data-sheet-{name}") as desk.sheet:
                handles.append(sheet(desk))
            items.append(desk.sheet)

    def words(texts: Texts, _: Catalog) -> list[object]:
        return [gr.update(label=texts(f"sheet.{name}")) for name, _ in SHEETS]

    handles.append(words_only(items, words))
    return joined(handles)
