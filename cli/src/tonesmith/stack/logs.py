"""The logs of the embedded stack: their last lines, and what is added."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tonesmith.stack.embedded import last_lines
from tonesmith.stack.programs import Places

POLL_SECONDS = 0.3
Each = Callable[[str, str], None]


def log_files(places: Places) -> dict[str, Path]:
    """Return the log of each program that has one."""
    return {path.stem: path for path in sorted(places.logs.glob("*.log"))}


def show_last(files: Mapping[str, Path], count: int, each: Each) -> None:
    """Call `each` with program and line for the last lines of each log."""
    for name, path in files.items():
        for line in last_lines(path, count).splitlines():
            each(name, line)


def follow(files: Mapping[str, Path], each: Each, going_on: Callable[[], bool]) -> None:
    """Call `each` with every line that is added, while `going_on`."""
    tails = {name: Tail(path) for name, path in files.items()}
    while going_on():
        for name, tail in tails.items():
            for line in tail.lines():
                each(name, line)
        time.sleep(POLL_SECONDS)


class Tail:
    """What is added to a file from now on.

    Args:
        path: the file; supervisord empties it when it has grown too large.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = path.stat().st_size
        self._rest = b""

    def lines(self) -> list[str]:
        """Return the lines that were finished since the last call."""
        size = self._path.stat().st_size if self._path.is_file() else 0
        if size < self._seen:
            self._seen, self._rest = 0, b""
        if size == self._seen:
            return []
        with self._path.open("rb") as file:
            file.seek(self._seen)
            added = self._rest + file.read()
            self._seen = file.tell()
        *whole, self._rest = added.split(b"\n")
        return [line.decode(errors="replace") for line in whole]
