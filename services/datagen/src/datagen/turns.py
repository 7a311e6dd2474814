"""Who works when on the one event loop: calls first, then what is done with their answers."""

import asyncio
from collections import deque


class Turnstile:
    """Lets one task through in each turn of the event loop, in the order in which they came.

    Answers come in bursts. Who gets one judges it, which takes about as long as sending the next
    call: without this a burst is judged whole before any call takes the places that it left free.
    """

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._opening: asyncio.Handle | None = None

    async def passed(self) -> None:
        """Return when it is this task's turn."""
        loop = asyncio.get_running_loop()
        place = loop.create_future()
        self._waiting.append(place)
        if self._opening is None:
            self._opening = loop.call_soon(self._open)
        await place

    def _open(self) -> None:
        """Let the first task that still waits through; the next one in the next turn."""
        while self._waiting and (place := self._waiting.popleft()):
            if not place.done():
                place.set_result(None)
                break
        more = self._waiting
        self._opening = asyncio.get_running_loop().call_soon(self._open) if more else None


def tasks_for(calls: int) -> int:
    """Return how many tasks keep so many calls under way.

    A quarter more: a task also waits for its turn, judges and waits for the disk, and without more
    of them the rate falls by the share of that, at 200 ms an answer about a tenth. Not many more:
    what a task holds when the process is killed is paid for again.
    """
    return calls + (calls + 3) // 4
