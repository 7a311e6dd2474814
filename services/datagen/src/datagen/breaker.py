"""What keeps a teacher from being hammered: a circuit breaker, and a limit that adapts."""

import asyncio
import random
import time
from collections import deque
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

    @property
    def probe_due(self) -> bool:
        """Whether the next call would go out, as the probe of an open breaker."""
        return self.is_open and not self._probing and self.clock() >= self._next_probe

    async def admit(self, check: Callable[[], None] = lambda: None) -> bool:
        """Wait until a call may go out; return whether it is the probe.

        `check` is called before each wait and may raise to give up.
        """
        while self.is_open:
            if self.probe_due:
                self._probing = True
                return True
            check()
            await self.sleep(max(self._next_probe - self.clock(), self.probe_seconds / 10))
        return False

    def succeeded(self) -> None:
        """Record an answer: the breaker closes."""
        self._failures, self._wait, self._probing = 0, 0.0, False

    def failed(self, probe: bool = False) -> None:
        """Record a failure; that of a `probe` puts the next one off.

        Calls that were under way when the breaker opened fail too: that is no news, and must not
        make the first probe wait.
        """
        self._failures += 1
        if probe:
            self._probing = False
        if probe or self._failures == self.threshold:
            self._wait = min(self._wait * 2 or self.probe_seconds, self.longest_seconds)
            self._next_probe = self.clock() + self._wait

    def released(self) -> None:
        """Record that a probe ended without a verdict (it was cancelled, or throttled)."""
        self._probing = False


@dataclass
class AdaptiveLimit:
    """Calls at once: grows by one after as many answers, halves when the teacher says 429.

    Args:
        most: upper bound; the limit starts there.
        least: lower bound.
        clock: monotonic seconds.
    """

    most: int
    least: int = 1
    clock: Clock = time.monotonic
    value: float = 0.0
    running: int = 0
    _halved_at: float = float("-inf")
    # Woken one by one, in order: waking all for each place costs n² where many wait.
    _waiting: deque[asyncio.Future[None]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.value = self.value or float(self.most)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold one of the places while a call is under way."""
        await self._enter()
        try:
            yield
        finally:
            self.running -= 1
            self._admit()

    async def _enter(self) -> None:
        if not self._waiting and self.running < int(self.value):
            self.running += 1
            return
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():  # admitted and cancelled at once
                self.running -= 1
                self._admit()
            raise

    def _admit(self) -> None:
        """Give free places to those who wait longest; a place is taken as it is given."""
        while self._waiting and self.running < int(self.value):
            place = self._waiting.popleft()
            if not place.done():
                self.running += 1
                place.set_result(None)

    def grow(self) -> None:
        """Record an answer."""
        self.value = min(float(self.most), self.value + 1 / self.value)
        self._admit()

    def halve(self, started: float | None = None) -> None:
        """Record a 429 to a call that began at `started` (default: now).

        A call that began before the last halving says nothing about the limit since: a burst of
        429 counts once.
        """
        if (self.clock() if started is None else started) > self._halved_at:
            self._halved_at = self.clock()
            self.value = max(float(self.least), self.value / 2)


def backoff(tries: int, chance: random.Random, first: float = 0.5, longest: float = 30.0) -> float:
    """Return the seconds before try `tries` + 1: full jitter under a bound that doubles."""
    return chance.uniform(0, min(longest, first * 2 ** (tries - 1)))
