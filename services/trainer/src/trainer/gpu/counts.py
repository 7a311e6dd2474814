"""Counters that several threads add to: errors of NVML, XID events."""

import threading
from collections import Counter

Labels = tuple[str, ...]


class Counts:
    """Counts by labels; adding and reading are safe from every thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[Labels] = Counter()

    def add(self, *labels: str) -> None:
        """Count one more of `labels`."""
        with self._lock:
            self._counts[labels] += 1

    def all(self) -> dict[Labels, int]:
        """Return every count so far, as a copy."""
        with self._lock:
            return dict(self._counts)
