"""The grid: 24 columns, titled rows, lines of panels that fill their width without a hole."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
COLUMNS = 24


@dataclass(frozen=True)
class Line:
    """Panels side by side.

    Args:
        height: in units of the grid (30 pixels).
        panels: each with its width in columns; together 24.
    """

    height: int
    panels: Sequence[tuple[int, Json]]


@dataclass(frozen=True)
class Row:
    """A titled part of a dashboard."""

    title: str
    lines: Sequence[Line]


def even(height: int, *panels: Json) -> Line:
    """Return a line whose panels are equally wide.

    Raises:
        ValueError: 24 columns cannot be shared evenly among them.
    """
    width, rest = divmod(COLUMNS, len(panels))
    if rest:
        raise ValueError(f"{len(panels)} panels do not share {COLUMNS} columns evenly")
    return Line(height, [(width, panel) for panel in panels])


def place(rows: Sequence[Row]) -> list[Json]:
    """Return the panels of a dashboard with their places and ids, which begin at 1."""
    found = []
    y = 0
    for row in rows:
        found.append(header(row.title) | {"gridPos": grid(COLUMNS, 1, 0, y)})
        y += 1
        for line in row.lines:
            found += across(line, y)
            y += line.height
    return [panel | {"id": number} for number, panel in enumerate(found, start=1)]


def header(title: str) -> Json:
    """Return the title of a row; its panels stand below it, not inside: it is open."""
    return {"type": "row", "title": title, "collapsed": False, "panels": []}


def across(line: Line, y: int) -> Iterator[Json]:
    """Yield the panels of a line with their places.

    Raises:
        ValueError: they do not fill the width.
    """
    x = 0
    for width, panel in line.panels:
        yield panel | {"gridPos": grid(width, line.height, x, y)}
        x += width
    if x != COLUMNS:
        titles = ", ".join(panel["title"] for _, panel in line.panels)
        raise ValueError(f"{x} of {COLUMNS} columns are filled by: {titles}")


def grid(width: int, height: int, x: int, y: int) -> Json:
    """Return a place."""
    return {"h": height, "w": width, "x": x, "y": y}
