"""The tables of the reviews, and the rows that match a filter as SQL."""

from collections.abc import Iterable
from typing import Any

from contracts.review import ReviewFilter

SCHEMA = """
CREATE TABLE IF NOT EXISTS reviews (
    id INTEGER PRIMARY KEY, dataset TEXT UNIQUE NOT NULL, created_at TEXT NOT NULL,
    revision INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS rows (
    review INTEGER NOT NULL, number INTEGER NOT NULL, place INTEGER NOT NULL,
    origin TEXT NOT NULL, style TEXT NOT NULL, area TEXT NOT NULL, emotion TEXT NOT NULL,
    reason TEXT, uncertainty REAL NOT NULL, cause TEXT NOT NULL,
    decision TEXT NOT NULL DEFAULT 'open', reply TEXT, folded TEXT, characters INTEGER NOT NULL,
    edit TEXT, forced INTEGER NOT NULL DEFAULT 0, note TEXT NOT NULL DEFAULT '',
    revision INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (review, number)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS queue ON rows (review, uncertainty DESC, number, style, decision,
    origin, reason, area, emotion, cause, characters, edit);
CREATE INDEX IF NOT EXISTS noted ON rows (review) WHERE note != '';
CREATE INDEX IF NOT EXISTS rewritten ON rows (review, number) WHERE folded IS NOT NULL;
CREATE TABLE IF NOT EXISTS words (
    review INTEGER NOT NULL, number INTEGER NOT NULL, folded TEXT NOT NULL,
    PRIMARY KEY (review, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS steps (
    review INTEGER NOT NULL, revision INTEGER NOT NULL, at TEXT NOT NULL, action TEXT NOT NULL,
    rows INTEGER NOT NULL, detail TEXT NOT NULL DEFAULT '', undone INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (review, revision)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS befores (
    review INTEGER NOT NULL, step INTEGER NOT NULL, number INTEGER NOT NULL,
    decision TEXT NOT NULL, reply TEXT, folded TEXT, characters INTEGER NOT NULL, edit TEXT,
    forced INTEGER NOT NULL, note TEXT NOT NULL,
    PRIMARY KEY (review, step, number)) WITHOUT ROWID;
"""
# What a decision may change in a row, hence what an undo brings back.
MUTABLE = ("decision", "reply", "folded", "characters", "edit", "forced", "note")
ORDERS = {"uncertainty": "uncertainty DESC, number", "number": "number"}
EQUAL = ("origin", "decision", "style", "emotion", "area", "cause")
BOUNDS = {
    "shortest": "characters >= ?",
    "longest": "characters <= ?",
    "uncertain_from": "uncertainty >= ?",
    "uncertain_to": "uncertainty <= ?",
}


# One value however many rows: SQLite bounds the number of question marks.
AMONG = "number IN (SELECT value FROM json_each(?))"


def conditions(review: int, wanted: ReviewFilter) -> tuple[str, list[Any]]:
    """Return the WHERE clause (without the word) and its values; no text of the filter is SQL.

    The text of a filter is not in it: `review_search.py` looks for that.
    """
    parts, found = ["review = ?"], list[Any]([review])
    for name in EQUAL:
        if (value := getattr(wanted, name)) is not None:
            parts.append(f"{name} = ?")
            found.append(value)
    for name, condition in BOUNDS.items():
        if (value := getattr(wanted, name)) is not None:
            parts.append(condition)
            found.append(value)
    if wanted.reason is not None:
        parts.append("reason = ?")
        found.append(wanted.reason.value)
    if wanted.edited is not None:
        parts.append("edit IS NOT NULL" if wanted.edited else "edit IS NULL")
    if wanted.rows is not None:
        parts.append(AMONG)
        found.append(as_list(wanted.rows))
    return " AND ".join(parts), found


def as_list(numbers: Iterable[int]) -> str:
    """Return numbers as the one value that AMONG takes."""
    return f"[{','.join(map(str, numbers))}]"


def folded(question: str, reply: str) -> str:
    """Return what a text search looks through."""
    return f"{question}\n{reply}".casefold()
