"""How much memory all processes of the demo take together, measured twice a second.

PSS (proportional set size) divides a page among the processes that share it, so that the sum over
processes is what they really occupy; the kernel adds it up in /proc/<pid>/smaps_rollup.
"""

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

SAMPLE_SECONDS = 0.5
PROC = Path("/proc")


def pss_bytes(pid: int, proc: Path = PROC) -> int:
    """Return the proportional set size of a process in bytes; 0 where it is gone."""
    try:
        with (proc / str(pid) / "smaps_rollup").open(encoding="ascii") as file:
            for line in file:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
    except OSError:  # it ended, or it is a zombie
        return 0
    return 0


class MemoryWatch:
    """Samples the memory of a changing set of processes in a thread of its own.

    Args:
        pids: returns the processes that live now.
        measure: returns the bytes of one.
        interval: seconds between two samples.
    """

    def __init__(
        self,
        pids: Callable[[], Iterable[int]],
        *,
        measure: Callable[[int], int] = pss_bytes,
        interval: float = SAMPLE_SECONDS,
    ) -> None:
        self.peak_bytes = 0
        self._pids = pids
        self._measure = measure
        self._interval = interval
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory", daemon=True)

    def sample(self) -> int:
        """Take one sample, remember the peak, and return the sum in bytes."""
        total = sum(self._measure(pid) for pid in self._pids())
        self.peak_bytes = max(self.peak_bytes, total)
        return total

    def _run(self) -> None:
        while not self._ended.wait(self._interval):
            self.sample()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
