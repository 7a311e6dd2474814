"""What the sheets of the Data tab share: the dataset that is looked at."""

from typing import Any

import gradio as gr

from ui.catalog import Catalog
from ui.tabs.tab import Handle, Part, Workbench
from ui.texts import Texts


class Desk:
    """Builds the picker of a dataset above the sheets.

    Args:
        bench: what tabs are built with.

    Attributes:
        dataset: the picked dataset's id, or None; sheets listen to its `change`.
        sheets: the row of sheets; `sheet` is the one that is being built.
    """

    sheets: gr.Tabs
    sheet: gr.Tab

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.dataset = gr.Dropdown(choices=[], elem_id="data-dataset", interactive=True)

        def words(texts: Texts, _: Catalog) -> list[Any]:
            return [gr.update(label=texts("data.dataset"))]

        nothing = Part([], [], lambda *_: [])
        self.handle = Handle(nothing, Part([], [self.dataset], words), nothing, [])
