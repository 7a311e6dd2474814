"""What a tab is: an id, and a function that builds it and says how to put words to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui.catalog import Catalog
from ui.chat.talk import Talk
from ui.config import UiSettings
from ui.kept.keeping import Keeping
from ui.texts import Texts


@dataclass(frozen=True)
class Workbench:
    """What tabs are built with; `tab` is the one of `tabs` that is being built."""

    settings: UiSettings
    talk: Talk
    kept: Keeping
    language: gr.Radio
    tab: gr.Tab
    tabs: gr.Tabs


@dataclass(frozen=True)
class Part:
    """Something to render: `render(texts, catalog, *inputs)` returns the updates of `outputs`."""

    inputs: list[Any]
    outputs: list[Any]
    render: Callable[..., list[Any]]


@dataclass(frozen=True)
class Handle:
    """A built tab. Rendering must leave alone what the reader did.

    Attributes:
        choices: rendered on loading, when the language changes, and when the services offer
            something new.
        words: rendered on loading and when the language changes.
        healing: rendered when the services offer something new.
        kept: components whose value the browser keeps over a reload.
    """

    choices: Part
    words: Part
    healing: Part
    kept: list[Any]


@dataclass(frozen=True)
class Tab:
    """A tab; its title is the locale key `tab.<id>`."""

    id: str
    build: Callable[[Workbench], Handle]


NOTHING = Part([], [], lambda *_: [])


def words_only(
    outputs: Sequence[Any], words: Callable[[Texts, Catalog], list[Any]], kept: Sequence[Any] = ()
) -> Handle:
    """Return the handle of what has words alone: services may offer what they like.

    Args:
        outputs: what `words` renders.
        words: returns its updates.
        kept: components whose value the browser keeps over a reload.
    """
    return Handle(NOTHING, Part([], list(outputs), words), NOTHING, list(kept))


def joined(handles: Sequence[Handle]) -> Handle:
    """Return several handles as one; each part is given its own share of the inputs."""
    return Handle(
        joined_part([handle.choices for handle in handles]),
        joined_part([handle.words for handle in handles]),
        joined_part([handle.healing for handle in handles]),
        [item for handle in handles for item in handle.kept],
    )


def joined_part(parts: Sequence[Part]) -> Part:
    """Return several parts as one."""
    return Part(
        [item for part in parts for item in part.inputs],
        [item for part in parts for item in part.outputs],
        lambda texts, catalog, *values: rendered(parts, texts, catalog, values),
    )


def rendered(
    parts: Sequence[Part], texts: Texts, catalog: Catalog, values: Sequence[Any]
) -> list[Any]:
    """Return the updates of all parts, each for its share of `values`."""
    updates, rest = [], list(values)
    for part in parts:
        count = len(part.inputs)
        updates += part.render(texts, catalog, *rest[:count])
        rest = rest[count:]
    return updates


def news(seen: Any, now: Sequence[Any]) -> list[Any]:
    """Return what is new of `now`, which the page was made from last time as `seen`."""
    before = seen if isinstance(seen, list) and len(seen) == len(now) else [None] * len(now)
    pairs = zip(before, now, strict=True)
    return [list(now), *(gr.skip() if old == new else new for old, new in pairs)]
