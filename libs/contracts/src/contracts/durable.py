"""Durable writes: what survives `kill -9` and power loss, and how a torn tail is repaired."""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

from contracts.dataset import FileDigest

HASH_BLOCK = 1 << 20
# Bytes at the end of a journal in which a torn tail is looked for first.
TAIL = 1 << 16


def fsync_directory(path: Path) -> None:
    """Make the names in `path` durable (a rename is only durable once its folder is)."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fsync_file(path: Path) -> None:
    """Make the content of the file at `path` durable."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def write_atomic(path: Path, content: bytes) -> None:
    """Replace `path` by `content` so that a reader sees the old file or the new one, whole.

    Two threads may write the same path at once: one of them wins.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with staged.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        staged.replace(path)
    except OSError:
        staged.unlink(missing_ok=True)
        raise
    fsync_directory(path.parent)


def is_leftover(path: Path) -> bool:
    """Return whether `path` is what a `write_atomic` that was killed left behind."""
    return path.name.startswith(".") and path.name.endswith(".tmp")


def file_digest(path: Path) -> FileDigest:
    """Return the size in bytes and the SHA-256 of the file at `path`."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(HASH_BLOCK):
            digest.update(block)
    return FileDigest(bytes=path.stat().st_size, sha256=digest.hexdigest())


def tree_digests(folder: Path) -> dict[str, FileDigest]:
    """Return the digest of every file under `folder`, by its path relative to it."""
    paths = folder.rglob("*")
    files = sorted(path for path in paths if path.is_file() and not is_leftover(path))
    return {path.relative_to(folder).as_posix(): file_digest(path) for path in files}


def digest_differences(folder: Path, expected: dict[str, FileDigest]) -> list[str]:
    """Compare the files of `folder` with `expected`; return one sentence for each difference."""
    differences = []
    for name, want in sorted(expected.items()):
        path = folder / name
        if not path.is_file():
            differences.append(f"{name}: missing")
            continue
        size = path.stat().st_size
        if size != want.bytes:
            differences.append(f"{name}: {size} bytes, manifest says {want.bytes}")
        elif (found := file_digest(path).sha256) != want.sha256:
            differences.append(f"{name}: sha256 {found[:12]}…, manifest says {want.sha256[:12]}…")
    return differences


def publish_folder(staging: Path, target: Path) -> None:
    """Make the finished folder `staging` durable and give it its final name in one step.

    Both lie on one file system; what killed writes left behind is thrown away. Raises
    FileExistsError where `target` exists already.
    """
    for path in sorted(staging.rglob("*")):
        if path.is_file() and is_leftover(path):
            path.unlink()
        elif path.is_file():
            fsync_file(path)
        else:
            fsync_directory(path)
    fsync_directory(staging)
    if target.exists():
        raise FileExistsError(f"{target.name} is published already")
    staging.rename(target)
    fsync_directory(target.parent)


def discard_folder(path: Path) -> None:
    """Remove an unpublished folder; its absence is no error."""
    shutil.rmtree(path, ignore_errors=True)


class Journal:
    """An append-only JSON Lines file: `append` returns only once its lines are on the disk.

    Opening repairs a torn tail: a last line without its newline, or that is no JSON, moves to
    `<name>.torn`, since it was never acknowledged. One process writes a journal.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.torn_bytes = repair_tail(path)
        # Unbuffered: what a failed write leaves in a buffer would reach the file later, by itself.
        self._file = path.open("ab", buffering=0)
        self._size = path.stat().st_size
        try:
            fsync_directory(path.parent)
        except OSError:  # nobody gets to see this journal, so nobody else would close it
            self._file.close()
            raise

    def append(self, rows: Iterable[str]) -> None:
        """Write `rows` (each one line of JSON, without newline) and wait for the disk, once.

        Raises OSError where the disk refuses; then none of `rows` is in the file.
        """
        content = "".join(f"{row}\n" for row in rows).encode()
        if not content:
            return
        try:
            written = 0
            while written < len(content):  # a nearly full disk takes a part
                written += self._file.write(content[written:])
            os.fsync(self._file.fileno())
        except OSError:
            self._file.truncate(self._size)
            raise
        self._size += len(content)

    def close(self) -> None:
        """Close the file; every appended row is durable already."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def repair_tail(path: Path) -> int:
    """Cut what follows the last whole line of `path`, keep it in `.torn`; return its length."""
    if not path.exists():
        return 0
    good, torn = tail_of(path)
    if torn:
        with path.with_name(path.name + ".torn").open("ab") as file:
            file.write(torn)
            os.fsync(file.fileno())
        os.truncate(path, good)
        fsync_file(path)
    return len(torn)


def tail_of(path: Path) -> tuple[int, bytes]:
    """Return where the last whole line of `path` ends, and what follows it.

    Read from the end, so that the length of a journal costs no memory.
    """
    size, reach = path.stat().st_size, TAIL
    with path.open("rb") as file:
        while True:
            start = file.seek(max(0, size - reach))
            content = file.read()
            good = end_of_whole_lines(content, begins_whole=start == 0)
            if good or start == 0:
                return start + good, content[good:]
            reach *= 4


def end_of_whole_lines(content: bytes, *, begins_whole: bool) -> int:
    """Return where the last line of JSON in `content` ends; 0 where none is whole in it.

    Args:
        content: the end of a file.
        begins_whole: whether the first line of `content` is known to begin there.
    """
    good = content.rfind(b"\n") + 1
    while good and (begin := start_of_line(content, good)) + begins_whole:
        if is_json(content[begin:good]):
            return good
        good = begin
    return 0


def start_of_line(content: bytes, end: int) -> int:
    """Return where the line begins whose newline is the last byte before `end`."""
    return content.rfind(b"\n", 0, end - 1) + 1


def is_json(line: bytes) -> bool:
    """Return whether `line` is one JSON value."""
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def read_journal(path: Path) -> Iterator[str]:
    """Yield the whole lines of a journal that another process may be writing."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield line.decode()
