"""The end of the service: no new turns, and those that run end whole, within a bound.

uvicorn waits for connections, and an open page holds one for as long as it is open; what is
worth waiting for is replies, so those are counted here.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from ui.errors import ProblemError

POLL_SECONDS = 0.05
# Who sent a message as the signal came, or whose reply ended before they had opened their stream
# of it, still finds the port open.
QUIET_SECONDS = 0.5
# A turn looks at the clock at least every BEAT_SECONDS (`answers.py`), and then says good-bye.
LAST_WORDS_SECONDS = 1.0


class Drain:
    """Counts the running turns, and refuses new ones once it has begun.

    Args:
        seconds: how long running turns may take to end.
        clock: monotonic seconds.
        sleep: waits for seconds.
    """

    def __init__(
        self,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.seconds = seconds
        self.clock = clock
        self.sleep = sleep
        self.running = 0
        self.deadline: float | None = None
        self._ended_at = clock()

    @property
    def draining(self) -> bool:
        """Whether no new turn may begin."""
        return self.deadline is not None

    def reasons(self) -> list[str]:
        """Return why the service is not ready; empty means ready."""
        return ["draining"] if self.draining else []

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Count a turn while it lasts. Raises ProblemError once the service drains."""
        if self.draining:
            raise ProblemError("ui", "leaving")
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1
            self._ended_at = self.clock()

    def check(self) -> None:
        """Raise ProblemError if a running turn has to end now."""
        if self.deadline is not None and self.clock() > self.deadline:
            raise ProblemError("ui", "cut_off")

    async def finish(self) -> None:
        """Return once all turns have ended and it is quiet, or their time is over."""
        self._ended_at = self.clock()
        self.deadline = self.clock() + self.seconds
        last = self.deadline + LAST_WORDS_SECONDS
        while not self.quiet() and self.clock() < last:
            await self.sleep(POLL_SECONDS)

    def quiet(self) -> bool:
        """Return whether no turn runs, and none ended a moment ago."""
        return not self.running and self.clock() - self._ended_at >= QUIET_SECONDS
