"""When a sheet that only shows something looks again: opened, another dataset, another language."""

from collections.abc import Callable
from typing import Any

from ui.events import QUICK
from ui.review.orders import orders_in
from ui.tabs.data.desk import Desk
from ui.texts import Texts

# The first input says whether the reader sees the sheet, of which `{id}` is an element.
SEEN = """(_, ...rest) => [JSON.stringify({{
  seen: Boolean(document.getElementById("{id}")?.offsetParent)
}}), ...rest]"""
OPENED = "(_, ...rest) => [JSON.stringify({ seen: true }), ...rest]"


def look_when_seen(
    desk: Desk, look: Callable[..., Any], known: list[Any], shown: list[Any], anchor: str
) -> None:
    """Call `look` with `known`; its first value says by `is_seen` whether somebody sees it."""
    latest: dict[str, Any] = {**QUICK, "trigger_mode": "always_last"}
    desk.sheet.select(look, known, shown, js=OPENED, **latest)
    following = {"js": SEEN.format(id=anchor), **latest}
    desk.dataset.change(look, known, shown, **following)
    desk.bench.language.change(look, known, shown, **following)


def is_seen(told: Any) -> bool:
    """Return whether a reader sees the sheet."""
    return orders_in(told)[1]


async def style_names(desk: Desk, texts: Texts, dataset: str) -> dict[str, str]:
    """Return what the styles of a dataset are called."""
    found = (await desk.datasets.listed()).find(dataset)
    styles = found.styles if found else []
    return {one.style.id: getattr(one.style.names, texts.language) for one in styles}
