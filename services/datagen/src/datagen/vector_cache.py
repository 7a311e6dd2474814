"""Vectors that were made once: a table in the state folder, by what made them and their text.

It is a cache: losing it costs only the time, or the money, to make them again.
"""

import hashlib
import logging
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

logger = logging.getLogger(__name__)
FILE = "vectors.sqlite"
# Two datasets of 100,000 rows; 4 bytes a number: 1.2 GB of disk at 1,536 numbers each.
MOST = 200_000
# SQLite takes 999 values in one statement wherever it was built.
ASKED_AT_ONCE = 500
SCHEMA = """
CREATE TABLE IF NOT EXISTS vectors (
    number INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB UNIQUE NOT NULL, vector BLOB NOT NULL);
"""
Vector = npt.NDArray[np.float32]


class VectorCache:
    """Opens its file at the first use.

    Args:
        folder: the service's state folder, which this process has locked.
        most: vectors that are kept; the oldest go first.
    """

    def __init__(self, folder: Path, most: int = MOST) -> None:
        self.folder = folder
        self.most = most
        self._guard = threading.Lock()
        self._database: sqlite3.Connection | None = None

    def close(self) -> None:
        """Close the file, if it was opened."""
        with self._guard:
            if self._database:
                self._database.close()
            self._database = None

    def read(self, maker: str, texts: Sequence[str]) -> dict[str, Vector]:
        """Return the vectors that are known of `texts`, made by `maker`."""
        by_key = {key_of(maker, text): text for text in texts}
        keys, found = list(by_key), dict[str, Vector]()
        with self._open() as database:
            for at in range(0, len(keys), ASKED_AT_ONCE):
                part = keys[at : at + ASKED_AT_ONCE]
                marks = ",".join("?" * len(part))
                rows = database.execute(
                    f"SELECT key, vector FROM vectors WHERE key IN ({marks})", part
                )
                found |= {by_key[key]: np.frombuffer(blob, np.float32) for key, blob in rows}
        return found

    def write(self, maker: str, vectors: Mapping[str, Vector]) -> None:
        """Keep vectors; a disk that refuses them is logged, for the work goes on without."""
        rows = [(key_of(maker, text), vector.tobytes()) for text, vector in vectors.items()]
        try:
            with self._open() as database, database:
                database.executemany(
                    "INSERT OR REPLACE INTO vectors (key, vector) VALUES (?,?)", rows
                )
                database.execute(
                    "DELETE FROM vectors WHERE number <= (SELECT max(number) FROM vectors) - ?",
                    (self.most,),
                )
        except sqlite3.Error as error:
            logger.warning("vectors are not kept", extra={"reason": str(error)})

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._guard:
            if self._database is None:
                self.folder.mkdir(parents=True, exist_ok=True)
                self._database = opened(self.folder / FILE)
            yield self._database


def opened(path: Path) -> sqlite3.Connection:
    """Return the table in the file at `path`; a file that is none is begun anew."""
    try:
        return connected(path)
    except sqlite3.DatabaseError as error:
        logger.warning("the cache of vectors is begun anew", extra={"reason": str(error)})
        for tail in ("", "-wal", "-shm"):
            path.with_name(path.name + tail).unlink(missing_ok=True)
        return connected(path)


def connected(path: Path) -> sqlite3.Connection:
    """Return a connection to the table. Raises sqlite3.DatabaseError where the file is none."""
    database = sqlite3.connect(path, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.executescript(SCHEMA)
    except sqlite3.DatabaseError:
        database.close()
        raise
    return database


def key_of(maker: str, text: str) -> bytes:
    """Return what a vector is known by."""
    return hashlib.sha256(f"{maker}\0{text}".encode("utf-8", "surrogatepass")).digest()[:16]
