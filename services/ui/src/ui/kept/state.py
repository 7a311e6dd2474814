"""The page's own state: one SQLite file in a folder that only the service may read.

Opened at the first use. What is written is on the disk before it is acknowledged. The file knows
its schema's number (`user_version`); an older one is brought up to date, a newer one is refused.
"""

import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kit.config import SettingsError
from ui.kept.migrations import MIGRATIONS

FILE = "ui.sqlite"
# Another process (a backup, a second page) may hold the file for a moment.
BUSY_SECONDS = 5.0
KEY_BYTES = 32
MODE = 0o600


class State:
    """The state folder and its database; safe to use from several threads.

    Args:
        folder: is made if it is not there, for this user only.
        migrations: scripts of SQL; the schema's number is how many of them were run.
    """

    def __init__(self, folder: Path, migrations: Sequence[str] = MIGRATIONS) -> None:
        self.folder = folder
        self.migrations = migrations
        # Readers have a connection of their own and wait for no writer: every request reads whether
        # its log-in was ended, in the event loop. Who holds both locks took `_reading` first.
        self._reading, self._guard = threading.Lock(), threading.RLock()
        self._reader: sqlite3.Connection | None = None
        self._database: sqlite3.Connection | None = None

    @property
    def present(self) -> bool:
        """Whether anything was ever kept; looking makes no file."""
        return (self.folder / FILE).exists()

    def close(self) -> None:
        """Close the file, if it was opened; the next use opens it again."""
        with self._reading, self._guard:
            for connection in filter(None, (self._reader, self._database)):
                connection.close()
            self._reader = self._database = None

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Yield the database in a transaction: all of it happens, or nothing.

        Raises SettingsError where the file cannot be opened or is of a newer version.
        """
        with self._guard:
            database = self._open()
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
                database.execute("COMMIT")
            except BaseException:
                # Where the disk is full SQLite may have taken it back already.
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise

    def read(self, statement: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """Return the rows of a query, as last committed. Raises SettingsError as `write` does."""
        with self._reading:
            if self._reader is None:
                with self._guard:
                    self._open()
                    self._reader = connected(self.folder / FILE)
            return self._reader.execute(statement, values).fetchall()

    def empty_log(self) -> None:
        """Bring the log of changes into the file, so that nothing that was deleted stays in it."""
        with self._guard:
            self._open().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def secret(self, name: str) -> bytes:
        """Return the random key in the file `name` of the folder; it is made at the first use.

        Raises SettingsError where it cannot be read or written, or is too short to be one of ours.
        """
        path = self._made() / name
        try:
            if not path.exists():
                make_secret(path)
            key = path.read_bytes()
        except OSError as error:
            raise SettingsError(f"UI_STATE_DIR: {path}: {error.strerror}") from error
        if len(key) < KEY_BYTES:
            raise SettingsError(f"UI_STATE_DIR: {path} holds no whole key; remove it for a new one")
        return key

    def _made(self) -> Path:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise SettingsError(
                f"UI_STATE_DIR: {self.folder}: {error.strerror}; name a folder that can be written"
            ) from error
        return self.folder

    def _open(self) -> sqlite3.Connection:
        if self._database is None:
            path = self._made() / FILE
            try:
                self._database = self._opened(path)
            except sqlite3.Error as error:
                raise SettingsError(f"UI_STATE_DIR: {path}: {error}") from error
        return self._database

    def _opened(self, path: Path) -> sqlite3.Connection:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, MODE))
        database = connected(path)
        try:
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                database.execute(f"PRAGMA {pragma}")
            # What a person deletes is gone from the file as well.
            database.execute("PRAGMA secure_delete=ON")
            migrate(database, self.migrations, path)
        except BaseException:
            database.close()
            raise
        return database


def connected(path: Path) -> sqlite3.Connection:
    """Return a connection that several threads may use, one after the other."""
    database = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    database.row_factory = sqlite3.Row
    return database


def migrate(database: sqlite3.Connection, migrations: Sequence[str], path: Path) -> None:
    """Bring the schema up to date, one transaction for each step.

    Raises SettingsError where a newer program wrote the file.
    """
    found = database.execute("PRAGMA user_version").fetchone()[0]
    if found > len(migrations):
        raise SettingsError(
            f"UI_STATE_DIR: {path} has schema {found}, newer than {len(migrations)}: "
            "upgrade Tonesmith, or name another folder"
        )
    for number, script in enumerate(migrations[found:], start=found + 1):
        database.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version={number};COMMIT;")


def make_secret(path: Path) -> None:
    """Write a random key; where two make it at once, one of them wins for both."""
    staged = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    descriptor = os.open(staged, os.O_CREAT | os.O_EXCL | os.O_WRONLY, MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.link(staged, path)
    except FileExistsError:
        pass
    finally:
        staged.unlink(missing_ok=True)
