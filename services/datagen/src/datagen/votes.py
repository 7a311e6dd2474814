"""Votes from the chat: one SQLite table in the state folder, durable before it is acknowledged.

A vote is known by who voted, on which reply to what, in which style, of which model, and against
which other reply, if any: said again, it replaces the earlier one. The user is an opaque id;
`forget` removes all that one said.
"""

import hashlib
import json
import sqlite3
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from contracts.identity import now
from contracts.votes import StoredVote, Vote, VoteCounts

FILE = "votes.sqlite"
SCHEMA = """
CREATE TABLE IF NOT EXISTS votes (
    id INTEGER PRIMARY KEY, key TEXT UNIQUE NOT NULL, at TEXT NOT NULL, style TEXT NOT NULL,
    user TEXT NOT NULL, value INTEGER NOT NULL, corrected INTEGER NOT NULL, vote TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS votes_by_user ON votes (user);
"""
VALUES = {1: "up", 0: "none", -1: "down"}


class VoteStore:
    """Opens its file at the first use.

    Args:
        folder: the service's state folder, which this process has locked.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._guard = threading.Lock()
        self._database: sqlite3.Connection | None = None

    def close(self) -> None:
        """Close the file, if it was opened."""
        with self._guard:
            if self._database:
                self._database.close()
            self._database = None

    def add(self, vote: Vote) -> StoredVote:
        """Store a vote durably; the same person's earlier one on that reply is replaced."""
        at, corrected = now(), int(vote.correction is not None)
        text = vote.model_dump_json()
        row = (vote_key(vote), at.isoformat(), vote.style, vote.user, vote.value, corrected, text)
        with self._open() as database, database:
            found = database.execute(
                "INSERT INTO votes (key, at, style, user, value, corrected, vote) "
                "VALUES (?,?,?,?,?,?,?) ON CONFLICT (key) DO UPDATE SET at = excluded.at, "
                "value = excluded.value, corrected = excluded.corrected, vote = excluded.vote "
                "RETURNING id",
                row,
            ).fetchall()
        return StoredVote(id=found[0][0], at=at, vote=vote)

    def page(self, style: str | None, offset: int, limit: int) -> list[StoredVote]:
        """Return votes, newest first, of one style or of all."""
        rows = self._read(
            "SELECT id, at, vote FROM votes WHERE style = ? OR ? IS NULL "
            "ORDER BY at DESC, id DESC LIMIT ? OFFSET ?",
            (style, style, limit, offset),
        )
        return [stored(row) for row in rows]

    def every(self, styles: Sequence[str]) -> list[Vote]:
        """Return every vote on these styles, in the order in which they first came."""
        rows = self._read(
            "SELECT vote FROM votes WHERE style IN (SELECT value FROM json_each(?)) ORDER BY id",
            (json.dumps(list(styles)),),
        )
        return [Vote.model_validate_json(row[0]) for row in rows]

    def counts(self) -> VoteCounts:
        """Return how many votes there are."""
        rows = self._read(
            "SELECT style, value, json_extract(vote, '$.against') IS NOT NULL AS pair, "
            "coalesce(json_extract(vote, '$.both_bad'), 0) AS bad, count(*), sum(corrected) "
            "FROM votes GROUP BY style, value, pair, bad"
        )
        by_style: dict[str, Counter[str]] = defaultdict(Counter)
        compared: dict[str, Counter[str]] = defaultdict(Counter)
        for style, value, pair, bad, count, _ in rows:
            if pair:
                compared[style][outcome(value, bad)] += count
            else:
                by_style[style][VALUES[value]] += count
        return VoteCounts(
            votes=sum(count for *_, count, _ in rows),
            corrections=sum(corrected for *_, corrected in rows),
            by_style={style: dict(found) for style, found in sorted(by_style.items())},
            compared={style: dict(found) for style, found in sorted(compared.items())},
        )

    def forget(self, user: str) -> int:
        """Remove all votes of a user, from the log of changes too; return how many there were."""
        with self._open() as database:
            with database:
                found = database.execute("DELETE FROM votes WHERE user = ?", (user,)).rowcount
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return found

    def _read(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._open() as database:
            return database.execute(statement, values).fetchall()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._guard:
            if self._database is None:
                self.folder.mkdir(parents=True, exist_ok=True)
                self._database = sqlite3.connect(self.folder / FILE, check_same_thread=False)
                self._database.execute("PRAGMA journal_mode=WAL")
                self._database.execute("PRAGMA synchronous=FULL")
                # A user's words must be gone from the file once they are forgotten.
                self._database.execute("PRAGMA secure_delete=ON")
                self._database.executescript(SCHEMA)
            yield self._database


def outcome(value: int, bad: int) -> str:
    """Return how a comparison ended."""
    if value:
        return "decided"
    return "both_bad" if bad else "tie"


def vote_key(vote: Vote) -> str:
    """Return what a vote is known by."""
    turns = [[turn.user, turn.assistant] for turn in vote.history]
    parts: list[Any] = [vote.user, vote.style, vote.model, turns, vote.question, vote.reply]
    if rival := vote.against:  # base and prompted base are one model, and two contestants
        parts += [vote.contestant, rival.contestant, rival.model, rival.reply]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def stored(row: Any) -> StoredVote:
    """Return a row of the table as a vote."""
    number, at, text = row
    return StoredVote(id=number, at=at, vote=Vote.model_validate_json(text))
