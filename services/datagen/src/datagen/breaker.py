"""What keeps a teacher from being hammered: a circuit breaker, and a limit that adapts."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]


@dataclass
class Breaker:
    """Opens after `threshold` failures in a row; then one probe at a time finds out.

    Args:
        threshold: failures in a row that open it.
        probe_seconds: wait before the first probe; doubles up to `longest_seconds`.
        longest_seconds: bound of that wait.
        clock: monotonic seconds.
        sleep: waits for seconds.
    """

    threshold: int = 10
    probe_seconds: float = 1.0
    longest_seconds: float = 30.0
    clock: Clock = time.monotonic
    sleep: Sleep = asyncio.sleep
    _failures: int = 0
    _probing: bool = False
    _wait: float = 0.0
    _next_probe: float = 0.0

    @property
    def is_open(self) -> bool:
        """Whether calls have to wait."""
        return self._failures >= self.threshold

    async def admit(self, check: Callable[[], None] = lambda: None) -> bool:
        """Wait until a call may go out; return whether it is the probe.

        `check` is called before each wait and may raise to give up.
        """
        while self.is_open:
            if not self._probing and self.clock() >= self._next_probe:
                self._probing = True
                return True
            check()
            await self.sleep(max(self._next_probe - self.clock(), self.probe_seconds / 10))
        return False

    def succeeded(self) -> None:
        """Record an answer: the breaker closes."""
        self._failures, self._wait, self._probing = 0, 0.0, False

    def failed(self) -> None:
        """Record a failure; where the breaker is open now, the next probe is put off."""
        self._failures += 1
        self._probing = False
        if self.is_open:
            self._wait = min(self._wait * 2 or self.probe_seconds, self.longest_seconds)
            self._next_probe = self.clock() + self._wait

    def released(self) -> None:
        """Record that a probe ended without a verdict (it was cancelled)."""
        self._probing = False


@dataclass
class AdaptiveLimit:
    """Calls at once: grows by one after as many answers, halves when the teacher says 429.

    Args:
        most: bound set by the operator.
        clock: monotonic seconds.
    """

    most: int
    clock: Clock = time.monotonic
    value: float = 0.0
    running: int = 0
    _halved_at: float = float("-inf")
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        self.value = self.value or float(self.most)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold one of the places while a call is under way."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.running < max(1, int(self.value)))
            self.running += 1
        try:
            yield
        finally:
            self.running -= 1
            async with self._changed:
                self._changed.notify_all()

    def grow(self) -> None:
        """Record an answer."""
        self.value = min(float(self.most), self.value + 1 / self.value)

    def halve(self) -> None:
        """Record a 429; a burst of them within a second counts once."""
        if self.clock() - self._halved_at >= 1.0:
            self._halved_at = self.clock()
            self.value = max(1.0, self.value / 2)


def backoff(tries: int, chance: random.Random, first: float = 0.5, longest: float = 30.0) -> float:
    """Return the seconds before try `tries` + 1: full jitter under a bound that doubles."""
    return chance.uniform(0, min(longest, first * 2 ** (tries - 1)))
