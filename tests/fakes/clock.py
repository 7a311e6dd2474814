"""A clock that moves only when somebody sleeps on it."""

import asyncio


class FakeClock:
    """Monotonic seconds; `sleep` moves them on and lets other tasks run."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Move on by `seconds`."""
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)
