"""One step of a review: what it changes, what it remembers for its undo, what it refuses."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from datagen.review_schema import MUTABLE
from kit.errors import ConflictError

FIXED = (
    "number", "place", "origin", "style", "area", "emotion", "reason", "uncertainty", "cause",
    "characters",
)  # fmt: skip


def insert(database: sqlite3.Connection, review: int, rows: Iterable[dict[str, Any]]) -> None:
    """Add the rows of a new review and their words."""
    names, marks = ", ".join(FIXED), ", ".join(f":{name}" for name in FIXED)
    every = [row | {"review": review} for row in rows]
    database.executemany(f"INSERT INTO rows (review, {names}) VALUES (:review, {marks})", every)
    database.executemany("INSERT INTO words VALUES (:review, :number, :folded)", every)


def remember(
    database: sqlite3.Connection, review: int, step: int, where: str, values: Sequence[Any]
) -> int:
    """Keep the matching rows as they are before a step; return how many there are."""
    names = ", ".join(MUTABLE)
    made = database.execute(
        f"INSERT INTO befores (review, step, number, {names}) "
        f"SELECT ?, ?, number, {names} FROM rows WHERE {where}",
        [review, step, *values],
    )
    return made.rowcount


def refuse_stale(
    database: sqlite3.Connection, where: str, values: Sequence[Any], seen: int
) -> None:
    """Raise ConflictError where a matching row changed after revision `seen`."""
    found = database.execute(
        f"SELECT number, revision FROM rows WHERE {where} AND revision > ? LIMIT 1",
        [*values, seen],
    ).fetchone()
    if found:
        raise ConflictError(
            f"row {found['number']} was changed at revision {found['revision']}, "
            f"after revision {seen}, which you saw",
            field="revision",
            hint="look at the rows again and send the revision that comes with them",
        )


def undo_steps(database: sqlite3.Connection, review: int, step: int, seen: int, steps: int) -> int:
    """Take back the newest `steps` that are not undone; return how many rows that changes."""
    if seen != step - 1:
        raise ConflictError(
            f"the review is at revision {step - 1}, you saw {seen}",
            field="revision",
            hint="look at what was changed meanwhile, then send the new revision",
        )
    newest = database.execute(
        "SELECT revision FROM steps WHERE review = ? AND undone = 0 AND action != 'undo' "
        "ORDER BY revision DESC LIMIT ?",
        (review, steps),
    ).fetchall()
    if len(newest) < steps:
        raise ConflictError(
            f"there are {len(newest)} steps to undo, not {steps}",
            field="steps",
            hint="GET .../review/steps lists them",
        )
    sets = ", ".join(f"{name} = b.{name}" for name in MUTABLE)
    for (revision,) in newest:  # newest first, so that each finds the rows as it left them
        database.execute(
            f"UPDATE rows SET {sets}, revision = ? FROM befores b WHERE rows.review = ? "
            "AND b.review = rows.review AND b.step = ? AND b.number = rows.number",
            (step, review, revision),
        )
        database.execute(
            "UPDATE steps SET undone = 1 WHERE review = ? AND revision = ?", (review, revision)
        )
        database.execute("DELETE FROM befores WHERE review = ? AND step = ?", (review, revision))
    changed = "SELECT count(*) FROM rows WHERE review = ? AND revision = ?"
    return int(database.execute(changed, (review, step)).fetchone()[0])
