"""Train: ask for a run, watch the runs, compare those that are over, and say which model answers.

Each sheet of the tab is a module with a class that builds it; what they share is in `hall.py`.
"""

from typing import Any

import gradio as gr

from ui.catalog import Catalog
from ui.events import QUICK
from ui.tabs.tab import Handle, Workbench, joined, words_only
from ui.tabs.train.comparing import Comparing
from ui.tabs.train.going import Runs
from ui.tabs.train.hall import Hall
from ui.tabs.train.new_run import NewRun
from ui.tabs.train.shelf import Models
from ui.texts import Texts

SHEETS = ("runs", "new", "compare", "models")


def build(bench: Workbench) -> Handle:
    """Build the tab into the current Gradio context."""
    hall = Hall(bench)
    items: dict[str, gr.Tab] = {}
    built: list[Any] = []
    with gr.Tabs(elem_id="train-sheets", selected="runs") as hall.sheets:
        for name, sheet in zip(SHEETS, (Runs, NewRun, Comparing, Models), strict=True):
            with gr.Tab(name, id=name, elem_id=f"train-sheet-{name}") as items[name]:
                hall.sheet = items[name]
                built.append(sheet(hall))
    runs, new = built[0], built[1]
    # A run that has begun is looked at.
    new.started.change(runs.open, runs.known, runs.changed, **QUICK)

    def words(texts: Texts, _: Catalog) -> list[Any]:
        return [gr.update(label=texts(f"train.sheet_{name}")) for name in SHEETS]

    titles = words_only(list(items.values()), words)
    return joined([*(sheet.handle for sheet in built), titles])
