"""The page's own database."""

import sqlite3
import threading
from pathlib import Path

import pytest

from kit.config import SettingsError
from ui.kept.state import FILE, State


def test_nothing_is_made_before_it_is_used(tmp_path: Path) -> None:
    """A page without log-ins and conversations leaves the folder alone."""
    state = State(tmp_path / "state")
    assert not state.present
    state.close()
    assert not list(tmp_path.iterdir())


def test_folder_and_file_are_for_their_owner_only(tmp_path: Path) -> None:
    """It holds what people said."""
    state = State(tmp_path / "state")
    state.read("SELECT 1")
    assert state.folder.stat().st_mode & 0o077 == 0
    assert (state.folder / FILE).stat().st_mode & 0o077 == 0
    state.close()


def test_transaction_happens_whole_or_not_at_all(tmp_path: Path) -> None:
    """An error in the middle takes back what was written before it."""
    state = State(tmp_path, ["CREATE TABLE t (x);"])

    def half() -> None:
        with state.write() as database:
            database.execute("INSERT INTO t VALUES (1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert not state.read("SELECT * FROM t")
    state.close()


def test_transaction_that_cannot_be_committed_is_taken_back(tmp_path: Path) -> None:
    """Who writes next finds no transaction that was left open."""
    state = State(tmp_path, ["CREATE TABLE t (x INTEGER PRIMARY KEY, y REFERENCES t (x));"])

    def orphan() -> None:
        with state.write() as database:
            database.execute("PRAGMA defer_foreign_keys=ON")
            database.execute("INSERT INTO t VALUES (1, 2)")

    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        orphan()
    with state.write() as database:
        database.execute("INSERT INTO t VALUES (3, NULL)")
    assert [row["x"] for row in state.read("SELECT x FROM t")] == [3]
    state.close()


def test_error_stays_what_it_was_where_sqlite_has_taken_all_back(tmp_path: Path) -> None:
    """As it does where the disk is full."""
    state = State(tmp_path, ["CREATE TABLE t (x UNIQUE);"])

    def full() -> None:
        with state.write() as database:
            database.execute("INSERT INTO t VALUES (1)")
            database.execute("INSERT OR ROLLBACK INTO t VALUES (1)")

    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        full()
    state.close()


def test_reader_waits_for_no_writer(tmp_path: Path) -> None:
    """A long import in a thread does not hold up the event loop, which reads at every request."""
    state, found = State(tmp_path, ["CREATE TABLE t (x);"]), []
    state.read("SELECT 1")
    with state.write() as database:
        database.execute("INSERT INTO t VALUES (1)")
        reader = threading.Thread(target=lambda: found.append(state.read("SELECT * FROM t")))
        reader.start()
        reader.join(30)
        assert found == [[]]
    assert len(state.read("SELECT * FROM t")) == 1
    state.close()


def test_older_file_is_brought_up_to_date_and_keeps_its_rows(tmp_path: Path) -> None:
    """Each step runs once."""
    steps = ["CREATE TABLE t (x);", "ALTER TABLE t ADD COLUMN y DEFAULT 2;"]
    old = State(tmp_path, steps[:1])
    with old.write() as database:
        database.execute("INSERT INTO t VALUES (1)")
    old.close()
    for _ in range(2):
        state = State(tmp_path, steps)
        assert [tuple(row) for row in state.read("SELECT * FROM t")] == [(1, 2)]
        state.close()


def test_broken_step_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """The next start with a mended program goes on from there."""
    State(tmp_path, ["CREATE TABLE t (x);"]).read("SELECT 1")
    broken = State(tmp_path, ["CREATE TABLE t (x);", "CREATE TABLE u (x); CREATE nonsense;"])
    with pytest.raises(SettingsError, match="UI_STATE_DIR"):
        broken.read("SELECT 1")
    mended = State(tmp_path, ["CREATE TABLE t (x);", "CREATE TABLE u (x);"])
    assert not mended.read("SELECT * FROM u")
    mended.close()


def test_file_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    """It is not read with an older idea of it."""
    State(tmp_path, ["CREATE TABLE t (x);"] * 1 + ["CREATE TABLE u (x);"]).read("SELECT 1")
    with pytest.raises(SettingsError, match="schema 2, newer than 1"):
        State(tmp_path, ["CREATE TABLE t (x);"]).read("SELECT 1")


def test_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    """So is a folder that is a file."""
    (tmp_path / FILE).write_text("not a database at all, but long enough to be read as one")
    with pytest.raises(SettingsError, match=FILE):
        State(tmp_path).read("SELECT 1")
    with pytest.raises(SettingsError, match="UI_STATE_DIR"):
        State(tmp_path / FILE).read("SELECT 1")


def test_secret_stays_the_same_and_is_for_its_owner_only(tmp_path: Path) -> None:
    """A restart logs nobody out."""
    first = State(tmp_path).secret("session.key")
    assert State(tmp_path).secret("session.key") == first
    assert (tmp_path / "session.key").stat().st_mode & 0o077 == 0
    (tmp_path / "session.key").write_bytes(b"short")
    with pytest.raises(SettingsError, match="no whole key"):
        State(tmp_path).secret("session.key")


def test_write_ahead_log_is_on_so_that_readers_wait_for_nobody(tmp_path: Path) -> None:
    """Another process may read while the page writes."""
    state = State(tmp_path, ["CREATE TABLE t (x);"])
    with state.write() as database:
        database.execute("INSERT INTO t VALUES (1)")
        other = sqlite3.connect(tmp_path / FILE)
        assert other.execute("SELECT count(*) FROM t").fetchone() == (0,)
        other.close()
    state.close()
