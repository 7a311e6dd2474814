"""Tests of durable writes: torn tails, atomic replacement, publication, digests."""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.durable import (
    TAIL,
    Journal,
    digest_differences,
    discard_folder,
    file_digest,
    publish_folder,
    read_journal,
    repair_tail,
    tree_digests,
    write_atomic,
)

ROWS = ['{"n": 1, "text": "傲娇"}', '{"n": 2, "text": "😤\\n"}', '{"n": 3}']


def rows_of(path: Path) -> list[str]:
    """Return the rows of a journal, without their newlines."""
    return [line.rstrip("\n") for line in read_journal(path)]


def test_long_journal_is_opened_without_being_held_in_memory(tmp_path: Path) -> None:
    """Only its end is read, however long it is; a torn tail of any length is found all the same."""
    path = tmp_path / "long.jsonl"
    path.write_bytes(b'{"text": "' + b"a" * 1000 + b'"}\n' + b'{"n": 1}\n' * 500_000)
    whole = path.stat().st_size
    tracemalloc.start()
    try:
        assert repair_tail(path) == 0
        assert tracemalloc.get_traced_memory()[1] < 1_000_000 < whole
    finally:
        tracemalloc.stop()
    for torn in (b'{"n": ', b"\0" * 70_000 + b"\n{\n", b"{" + b"a" * TAIL, b"x\n" * TAIL):
        path.write_bytes(path.read_bytes() + torn)
        assert repair_tail(path) == len(torn)
        assert path.stat().st_size == whole


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond `size` bytes, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_journal_keeps_whole_rows_when_torn_at_any_byte(tmp_path: Path) -> None:
    """Wherever the power failed: whole rows stay, the torn one goes, the next fits on."""
    content = "".join(f"{row}\n" for row in ROWS).encode()
    for cut in range(len(content) + 1):
        path = tmp_path / f"cut-{cut}.jsonl"
        path.write_bytes(content[:cut])
        whole = content[:cut].count(b"\n")
        with Journal(path) as journal:
            assert journal.torn_bytes == cut - (content[:cut].rfind(b"\n") + 1)
            journal.append(['{"n": 9}'])
        assert rows_of(path) == [*ROWS[:whole], '{"n": 9}']


@given(
    st.lists(st.sampled_from([b"\n", b"\x00", b"x", b'{"a', b"\xff", b'{"a": 1}\n']), max_size=8)
)
@settings(max_examples=80, deadline=None)
def test_journal_can_be_opened_after_any_tail(tail: list[bytes]) -> None:
    """Whatever follows the last good row is cut, and the next row stands on a line of its own."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        path.write_bytes(b'{"first": 1}\n' + b"".join(tail))
        with Journal(path) as journal:
            journal.append(['{"last": 1}'])
        found = path.read_bytes().splitlines(keepends=True)
        assert found[0] == b'{"first": 1}\n'
        assert found[-1] == b'{"last": 1}\n'
        assert json.loads(found[-2])


def test_torn_tail_is_kept_aside(tmp_path: Path) -> None:
    """What is cut off is not thrown away."""
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"n": 1}\n{"n": 2, "te')
    Journal(path).close()
    assert path.read_bytes() == b'{"n": 1}\n'
    assert (tmp_path / "rows.jsonl.torn").read_bytes() == b'{"n": 2, "te'


def test_journal_makes_its_folder_and_is_empty(tmp_path: Path) -> None:
    """A new journal has no rows; appending none changes nothing."""
    path = tmp_path / "deep" / "rows.jsonl"
    with Journal(path) as journal:
        journal.append([])
    assert rows_of(path) == []
    assert rows_of(tmp_path / "missing.jsonl") == []


def test_reader_sees_only_whole_rows_while_another_writes(tmp_path: Path) -> None:
    """A reader ignores the row that is being written."""
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"n": 1}\n{"n": 2')
    assert rows_of(path) == ['{"n": 1}']


def test_failed_append_leaves_no_part_behind(tmp_path: Path) -> None:
    """On a full disk none of the group is in the file, not even later; the next append fits."""
    path = tmp_path / "rows.jsonl"
    journal = Journal(path)
    journal.append(ROWS[:1])
    before = path.read_bytes()
    with room_for(len(before) + 10), pytest.raises(OSError, match="too large"):
        journal.append(ROWS[1:])
    assert path.read_bytes() == before
    journal.append(ROWS[2:])
    journal.close()
    assert rows_of(path) == [ROWS[0], ROWS[2]]


def test_acknowledged_rows_survive_kill_nine(tmp_path: Path) -> None:
    """Every row that was acknowledged before the kill is there, once, in order."""
    path = tmp_path / "rows.jsonl"
    program = (
        "import sys; from pathlib import Path; from contracts.durable import Journal\n"
        "journal = Journal(Path(sys.argv[1]))\n"
        "for n in range(10**6):\n"
        "    journal.append([str(n)] * 3)\n"
        "    sys.stdout.write(f'{n}\\n'); sys.stdout.flush()\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, env=environment
    )
    assert process.stdout is not None
    acknowledged = [process.stdout.readline() for _ in range(20)]
    process.send_signal(signal.SIGKILL)
    acknowledged += process.stdout.readlines()
    process.stdout.close()
    process.wait()
    Journal(path).close()
    found = rows_of(path)
    whole = [line for line in acknowledged if line.endswith(b"\n")]
    assert found[: 3 * len(whole)] == [str(n) for n in range(len(whole)) for _ in range(3)]
    assert len(found) <= 3 * (len(whole) + 1)


def test_reader_sees_old_or_new_content_never_a_mixture(tmp_path: Path) -> None:
    """While two threads replace a file, a reader always finds one of the two, whole."""
    path = tmp_path / "current.json"
    contents = [b"a" * 100_000, b"b" * 50_000]
    write_atomic(path, contents[0])
    until = time.monotonic() + 0.15

    def replace(content: bytes) -> None:
        while time.monotonic() < until:
            write_atomic(path, content)

    writers = [threading.Thread(target=replace, args=(content,)) for content in contents]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert path.read_bytes() in contents
    for writer in writers:
        writer.join()
    assert [entry.name for entry in tmp_path.iterdir()] == ["current.json"]


def test_failed_write_leaves_the_old_content(tmp_path: Path) -> None:
    """A full disk costs the new content, not the old, and leaves no litter."""
    path = tmp_path / "current.json"
    write_atomic(path, b"old")
    with room_for(10), pytest.raises(OSError, match="too large"):
        write_atomic(path, b"new" * 100)
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["current.json"]


def staged(folder: Path) -> Path:
    """Return a prepared folder with files at two depths."""
    staging = folder / ".tmp-thing"
    (staging / "deep").mkdir(parents=True)
    (staging / "a.txt").write_text("a")
    (staging / "deep" / "b.txt").write_text("b")
    return staging


def test_folder_appears_whole_when_published(tmp_path: Path) -> None:
    """The folder moves as one; nothing stays at its old name."""
    staging = staged(tmp_path)
    publish_folder(staging, tmp_path / "thing")
    assert (tmp_path / "thing" / "deep" / "b.txt").read_text() == "b"
    assert not staging.exists()


def test_published_folder_is_never_replaced(tmp_path: Path) -> None:
    """A second publication under the same name is refused, and both stay as they are."""
    publish_folder(staged(tmp_path), tmp_path / "thing")
    second = staged(tmp_path)
    with pytest.raises(FileExistsError, match="thing is published already"):
        publish_folder(second, tmp_path / "thing")
    assert second.is_dir()


def test_leftovers_of_killed_writes_are_not_published(tmp_path: Path) -> None:
    """A half-written temporary file is neither listed nor part of what is published."""
    staging = staged(tmp_path)
    (staging / ".report.json.0a1b.tmp").write_text("half")
    assert sorted(tree_digests(staging)) == ["a.txt", "deep/b.txt"]
    publish_folder(staging, tmp_path / "thing")
    assert sorted(path.name for path in (tmp_path / "thing").iterdir()) == ["a.txt", "deep"]


def test_every_difference_of_a_folder_is_named(tmp_path: Path) -> None:
    """A missing, a longer and an altered file each have their sentence."""
    staging = staged(tmp_path)
    (staging / "c.txt").write_text("c")
    expected = tree_digests(staging)
    assert digest_differences(staging, expected) == []
    (staging / "a.txt").unlink()
    (staging / "c.txt").write_text("cc")
    (staging / "deep" / "b.txt").write_text("B")
    found = digest_differences(staging, expected)
    assert found[0] == "a.txt: missing"
    assert found[1] == "c.txt: 2 bytes, manifest says 1"
    assert found[2].startswith("deep/b.txt: sha256 df7e70e50215")


def test_digest_is_the_sha256_of_the_bytes(tmp_path: Path) -> None:
    """A well-known value, and the size."""
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    digest = file_digest(path)
    assert (digest.bytes, digest.sha256[:16]) == (3, "ba7816bf8f01cfea")


def test_discarding_nothing_is_no_error(tmp_path: Path) -> None:
    """A staging folder may be gone already."""
    staging = staged(tmp_path)
    discard_folder(staging)
    discard_folder(staging)
    assert not staging.exists()
