"""Proof that a style took: start an evaluation, its report, replies side by side, a blind arena.

Each sheet of the tab is a module with a class that is built inside of a `gr.Tab`. What is on a
sheet is made when it is opened, and the arena empties the others: no name stands anywhere in the
tab while a pair is voted on.
"""

from collections.abc import Callable
from typing import Any

import gradio as gr

from ui.catalog import Catalog
from ui.tabs.prove.arena import Arena
from ui.tabs.prove.desk import Desk
from ui.tabs.prove.report import Report
from ui.tabs.prove.round import Round
from ui.tabs.prove.sides import Sides
from ui.tabs.prove.start import Start
from ui.tabs.tab import Handle, Workbench, joined, words_only
from ui.texts import Texts

SHEETS: tuple[tuple[str, Callable[[Desk], Any]], ...] = (
    ("start", Start),
    ("report", Report),
    ("sides", Sides),
    ("arena", Arena),
    ("round", Round),
)


def build(bench: Workbench) -> Handle:
    """Build the tab into the current Gradio context."""
    desk = Desk(bench)
    built: dict[str, Any] = {}
    with gr.Tabs(elem_id="prove-sheets") as desk.sheets:
        for name, sheet in SHEETS:
            with gr.Tab(name, id=name, elem_id=f"prove-sheet-{name}") as item:
                desk.items[name] = item
                built[name] = sheet(desk)
    # The names that stand on other sheets go when the arena opens.
    desk.named = [*built["report"].named, *built["sides"].named, *built["start"].named]
    desk.wire(built["start"])
    for sheet in built.values():
        sheet.wire()

    def words(texts: Texts, _: Catalog) -> list[object]:
        return [gr.update(label=texts(f"prove.sheet_{name}")) for name, _ in SHEETS]

    titles = words_only(list(desk.items.values()), words)
    return joined([desk.handle, titles, *(sheet.handle for sheet in built.values())])
