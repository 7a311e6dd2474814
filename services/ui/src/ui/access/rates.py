"""Token buckets: how often somebody may do something, in memory, for a bounded number of people."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

# Keys that are remembered; who invents names must not fill the memory.
MOST_KEYS = 10_000


@dataclass
class Bucket:
    """What is left for one key, and when that was so."""

    left: float
    at: float


class Buckets:
    """One bucket for each key: `capacity` at once, then one every `seconds`.

    Args:
        capacity: what a full bucket holds.
        seconds: after which one more is in it.
        clock: monotonic seconds.
        most: keys that are remembered; beyond it the one that was quiet longest is forgotten.
    """

    def __init__(
        self,
        capacity: int,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        most: int = MOST_KEYS,
    ) -> None:
        self.capacity = capacity
        self.seconds = seconds
        self.clock = clock
        self.most = most
        self._buckets: OrderedDict[Hashable, Bucket] = OrderedDict()
        self._guard = threading.Lock()

    def take(self, key: Hashable) -> float:
        """Take one and return 0, or take nothing and return the seconds until there is one."""
        with self._guard:
            bucket = self._filled(key)
            if bucket.left < 1:
                return (1 - bucket.left) * self.seconds
            bucket.left -= 1
            return 0.0

    def give_back(self, key: Hashable) -> None:
        """Put one back that was taken for nothing."""
        with self._guard:
            bucket = self._filled(key)
            bucket.left = min(bucket.left + 1, self.capacity)

    def _filled(self, key: Hashable) -> Bucket:
        now = self.clock()
        bucket = self._buckets.setdefault(key, Bucket(self.capacity, now))
        bucket.left = min(bucket.left + (now - bucket.at) / self.seconds, self.capacity)
        bucket.at = now
        self._buckets.move_to_end(key)
        while len(self._buckets) > self.most:
            self._buckets.popitem(last=False)
        return bucket
