"""What all open pages ask for together: asked again once it has grown old."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Fresh(Generic[Answer]):
    """Keeps the latest answer, however many ask for it.

    Args:
        ask: asks a service; never raises.
        first: stands for an answer before there is one.
        fresh_for: how long an answer stays fresh, in seconds.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        ask: Callable[[], Awaitable[Answer]],
        first: Answer,
        fresh_for: Callable[[Answer], float],
        clock: Callable[[], float],
    ) -> None:
        self.latest = first
        self._ask = ask
        self._fresh_for = fresh_for
        self._clock = clock
        self._asked_at = float("-inf")
        self._lock = asyncio.Lock()

    async def now(self) -> Answer:
        """Return the latest answer, asked for anew where it is no longer fresh."""
        async with self._lock:
            if self._clock() - self._asked_at >= self._fresh_for(self.latest):
                self.latest = await self._ask()
                self._asked_at = self._clock()
            return self.latest

    def stale(self) -> None:
        """Ask again at the next look."""
        self._asked_at = float("-inf")
