"""The library of styles: cards, an editor, what became of each version."""

from typing import Any

from ui.catalog import Catalog
from ui.tabs.styles.desk import Desk
from ui.tabs.styles.wiring import connect
from ui.tabs.tab import NOTHING, Handle, Part, Workbench
from ui.texts import DEFAULT, Texts, texts_in


def build(bench: Workbench) -> Handle:
    """Build the tab into the current Gradio context."""
    desk = Desk(bench)
    connect(bench, desk)

    def words(texts: Texts, _: Catalog) -> list[Any]:
        return list(desk.words(texts).values())

    worded = Part([], list(desk.words(texts_in(DEFAULT))), words)
    return Handle(NOTHING, worded, NOTHING, [desk.kept])
