"""The tree of a conversation: a message follows its parent, and a branch ends in a leaf (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from sqlite3 import Row

WHOLE = "whole"
CUT = "cut"


@dataclass(frozen=True)
class Said:
    """One message as it is kept."""

    id: int
    parent: int | None
    role: str
    content: str
    model: str
    style: str
    at: str
    state: str = WHOLE


@dataclass(frozen=True)
class Place:
    """A message of which there are several: it is the `number`th of `count`, from 1.

    `before` and `after` are the messages that are shown instead, one step to either side.
    """

    message: int
    role: str
    number: int
    count: int
    before: int | None
    after: int | None


def said_of(row: Row) -> Said:
    """Return a row as a message."""
    return Said(**{key: row[key] for key in Said.__dataclass_fields__})


def path_to(tree: Sequence[Said], leaf: int | None) -> list[Said]:
    """Return the messages from the first one to `leaf`."""
    known = {said.id: said for said in tree}
    path = []
    while leaf is not None and leaf in known:
        path.append(known[leaf])
        leaf = known[leaf].parent
    return path[::-1]


def newest_below(tree: Sequence[Said], message: int) -> int:
    """Return the end of the newest branch through a message: the last child of each last child."""
    children = {said.parent: said.id for said in tree if said.parent is not None}
    while message in children:
        message = children[message]
    return message


def places_on(tree: Sequence[Said], path: Sequence[Said]) -> list[Place]:
    """Return the messages of a path that stand for several."""
    rivals: dict[tuple[int | None, str], list[int]] = {}
    for said in tree:
        rivals.setdefault((said.parent, said.role), []).append(said.id)
    return [
        place_in(rivals[said.parent, said.role], said)
        for said in path
        if len(rivals[said.parent, said.role]) > 1
    ]


def place_in(rivals: Sequence[int], said: Said) -> Place:
    """Return a message's place among its rivals, the oldest first."""
    here = rivals.index(said.id)
    before = rivals[here - 1] if here else None
    after = rivals[here + 1] if here + 1 < len(rivals) else None
    return Place(said.id, said.role, here + 1, len(rivals), before, after)
