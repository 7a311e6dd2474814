"""The reviews' durable state: one SQLite file in the service's state folder, one writer.

The dataset itself never changes: a row of ours is its decision and the place of its line in the
dataset's journal. What is acknowledged is on the disk (`synchronous=FULL`); a change of 50,000
rows is one transaction, and so is its undo.
"""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.identity import now
from contracts.review import ReviewFilter, ReviewQuery
from datagen.review_schema import AMONG, MUTABLE, ORDERS, SCHEMA, as_list, conditions
from datagen.review_search import Search
from datagen.review_steps import insert, refuse_stale, remember, undo_steps

FILE = "reviews.sqlite"
Row = sqlite3.Row
Change = Callable[[sqlite3.Connection, int], int]


@dataclass(frozen=True)
class Head:
    """A review's own line."""

    id: int
    dataset: str
    created_at: str
    revision: int


class ReviewStore:
    """Opens its file at the first use.

    Args:
        folder: the service's state folder, which this process has locked.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writing, self._reading = threading.RLock(), threading.RLock()
        self.search = Search(self.read)
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None

    def close(self) -> None:
        """Close the file, if it was opened."""
        with self._writing, self._reading:
            for connection in (self._writer, self._reader):
                if connection:
                    connection.close()
            self._writer = self._reader = None

    def head(self, dataset: str) -> Head | None:
        """Return the review of a dataset, or None."""
        rows = self.read("SELECT * FROM reviews WHERE dataset = ?", (dataset,))
        return Head(**dict(rows[0])) if rows else None

    def read(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """Return the rows of a query; it never waits for a change that is under way."""
        with self._reading:
            self._reader = self._reader or self._connect()
            return self._reader.execute(statement, values).fetchall()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All that is read within is of one moment."""
        with self._reading:
            self.read("BEGIN")
            try:
                self.read("SELECT 1 FROM reviews LIMIT 1")  # fixes the moment
                yield
            finally:
                self.read("COMMIT")

    def open(self, dataset: str, rows: Iterable[dict[str, Any]]) -> Head:
        """Store a new review; one that is open stays as it is.

        The rows carry `review_steps.FIXED` and `folded`.
        """
        with self._transaction() as database:
            known = database.execute("SELECT 1 FROM reviews WHERE dataset = ?", (dataset,))
            if not known.fetchone():
                at = now().isoformat()
                made = database.execute(
                    "INSERT INTO reviews (dataset, created_at) VALUES (?, ?)", (dataset, at)
                )
                insert(database, int(made.lastrowid or 0), rows)
        head = self.head(dataset)
        assert head is not None  # stored above
        return head

    def page(self, head: Head, query: ReviewQuery) -> tuple[int, list[Row]]:
        """Return how many rows match, and one page of them."""
        where, values = conditions(head.id, query)
        if query.text is not None:
            every = self._holding(head, query, where, values)
            return len(every), self.rows(head, every[query.offset : query.offset + query.limit])
        # Numbers first: the index holds all that a filter asks for, and the rows are wide.
        total = self.read(f"SELECT count(*) FROM rows WHERE {where}", values)[0][0]
        found = self.read(
            f"SELECT number FROM rows WHERE {where} ORDER BY {ORDERS[query.order]} "
            "LIMIT ? OFFSET ?",
            [*values, query.limit, query.offset],
        )
        return int(total), self.rows(head, [row[0] for row in found])

    def _holding(
        self, head: Head, query: ReviewQuery, where: str, values: Sequence[Any]
    ) -> list[int]:
        """Return the rows that match and hold the text of a query, in its order."""
        found = self.search.holding(head.id, query.text or "")
        if len(values) > 1 or query.edited is not None:
            # As one value: 50,000 rows of the database module take longer than the query.
            others = self.read(f"SELECT json_group_array(number) FROM rows WHERE {where}", values)
            found &= set(json.loads(others[0][0]))
        if query.order == "number":
            return sorted(found)
        return [number for number in self.search.queue(head.id) if number in found]

    def rows(self, head: Head, numbers: Sequence[int]) -> list[Row]:
        """Return these rows, in this order; a number that no row has is passed over."""
        # Without an order of its own: SQLite would walk the whole queue to keep it.
        found = self.read(
            f"SELECT * FROM rows WHERE review = ? AND {AMONG}", (head.id, as_list(numbers))
        )
        by_number = {row["number"]: row for row in found}
        return [by_number[number] for number in numbers if number in by_number]

    def where(self, head: Head, wanted: ReviewFilter) -> tuple[str, list[Any]]:
        """Return the whole condition of a filter, its text too, and its values."""
        where, values = conditions(head.id, wanted)
        if wanted.text is None:
            return where, values
        holding = self.search.holding(head.id, wanted.text)
        return f"{where} AND {AMONG}", [*values, as_list(holding)]

    def matching(self, head: Head, wanted: ReviewFilter) -> list[Row]:
        """Return every row that matches, by number."""
        where, values = self.where(head, wanted)
        return self.read(f"SELECT * FROM rows WHERE {where} ORDER BY number", values)

    def tally(self, head: Head, wanted: ReviewFilter, only: str) -> dict[str, int]:
        """Return how many matching rows meet one more condition (ours), by reason."""
        where, values = self.where(head, wanted)
        rows = self.read(
            f"SELECT reason, count(*) FROM rows WHERE {where} AND {only} "
            "GROUP BY reason ORDER BY reason",
            values,
        )
        return {str(reason): int(count) for reason, count in rows}

    def decide(
        self,
        head: Head,
        seen: int,
        wanted: ReviewFilter,
        action: str,
        fields: dict[str, Any],
        only: str = "1",
    ) -> int:
        """Set `fields` in all rows that match, as one step; return how many changed.

        `only` is one more condition, of ours. Raises ConflictError where a matching row changed
        after revision `seen`.
        """
        where, values = self.where(head, wanted)
        differs = " OR ".join(f"{name} IS NOT ?" for name in fields)
        touched = f"{where} AND {only} AND ({differs})"
        bound = [*values, *fields.values()]
        sets = ", ".join(f"{name} = ?" for name in fields)

        def change(database: sqlite3.Connection, step: int) -> int:
            refuse_stale(database, where, values, seen)
            count = remember(database, head.id, step, touched, bound)
            database.execute(
                f"UPDATE rows SET {sets}, revision = ? WHERE review = ? AND number IN "
                "(SELECT number FROM befores WHERE review = ? AND step = ?)",
                [*fields.values(), step, head.id, head.id, step],
            )
            return count

        return self.step(head, action, change)

    def rewrite(self, head: Head, seen: int, action: str, rows: Sequence[dict[str, Any]]) -> int:
        """Set the MUTABLE fields of single rows (each with its `number`), as one step."""
        numbers = as_list(row["number"] for row in rows)
        where = f"review = ? AND {AMONG}"
        sets = ", ".join(f"{name} = :{name}" for name in MUTABLE)

        def change(database: sqlite3.Connection, step: int) -> int:
            refuse_stale(database, where, [head.id, numbers], seen)
            remember(database, head.id, step, where, [head.id, numbers])
            database.executemany(
                f"UPDATE rows SET {sets}, revision = :step "
                "WHERE review = :review AND number = :number",
                [row | {"step": step, "review": head.id} for row in rows],
            )
            return len(rows)

        return self.step(head, action, change)

    def undo(self, head: Head, seen: int, steps: int) -> int:
        """Take the newest steps back; return how many rows changed. Raises ConflictError."""

        def change(database: sqlite3.Connection, step: int) -> int:
            return undo_steps(database, head.id, step, seen, steps)

        return self.step(head, "undo", change)

    def step(self, head: Head, action: str, change: Change) -> int:
        """Run `change` as the next revision; nothing is written where it changes no row."""
        with self._transaction() as database:
            found = database.execute("SELECT revision FROM reviews WHERE id = ?", (head.id,))
            revision = int(found.fetchone()[0]) + 1
            if count := change(database, revision):
                at = now().isoformat()
                database.execute(
                    "INSERT INTO steps (review, revision, at, action, rows) VALUES (?,?,?,?,?)",
                    (head.id, revision, at, action, count),
                )
                database.execute("UPDATE reviews SET revision=? WHERE id=?", (revision, head.id))
            return count

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._writing:
            self._writer = self._writer or self._connect()
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")

    def _connect(self) -> sqlite3.Connection:
        self.folder.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(
            self.folder / FILE, check_same_thread=False, isolation_level=None
        )
        database.row_factory = Row
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.executescript(SCHEMA)
        return database
