"""Requests and tokens a minute, as a teacher's rate limits count them.

A bucket of our own and no library: tokens are known only after the answer, so that a bucket has to
take an estimate and be corrected later, on a clock that a test can move.
"""

import asyncio
import time
from dataclasses import dataclass, field

from datagen.breaker import Clock, Sleep
from datagen.usage import Usage

# A teacher enforces its minute in smaller steps: no more than this much of it at once.
BURST_SECONDS = 1.0
# Weight of the newest answer in the mean that the next call is estimated by.
MEMORY = 0.05


@dataclass
class Bucket:
    """Lets `per_minute` units through in any minute; who comes too early waits, in order.

    Args:
        per_minute: units; None: no limit.
        clock, sleep: the outside world.
    """

    per_minute: float | None
    clock: Clock = time.monotonic
    sleep: Sleep = asyncio.sleep
    rate: float = field(init=False)
    level: float = field(init=False)
    _at: float = field(init=False)

    def __post_init__(self) -> None:
        # Slower by what may come at once, so that no minute sees more than `per_minute`.
        self.rate = (self.per_minute or 0.0) / (60 + BURST_SECONDS)
        self.level, self._at = self._most, self.clock()

    @property
    def _most(self) -> float:
        return max(0.0, self.rate * BURST_SECONDS - 1)

    def _refill(self) -> None:
        now = self.clock()
        self.level = min(self._most, self.level + (now - self._at) * self.rate)
        self._at = now

    async def take(self, amount: float) -> None:
        """Take `amount` once what was taken before is made up for."""
        if self.per_minute is None:
            return
        self._refill()
        debt = -self.level
        # The level falls below zero: that is the queue, and it keeps the order of arrival.
        self.level -= amount
        try:
            if debt > 0:
                await self.sleep(debt / self.rate)
        except asyncio.CancelledError:
            self.level += amount
            raise

    def correct(self, amount: float) -> None:
        """Take `amount` more without waiting; a negative one is given back."""
        if self.per_minute is not None:
            self._refill()
            self.level -= amount


class Pace:
    """Both limits of one teacher.

    Args:
        requests: a minute; None: no limit.
        tokens: a minute, input and output together; None: no limit.
        clock, sleep: the outside world.
    """

    def __init__(
        self,
        requests: float | None = None,
        tokens: float | None = None,
        *,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.requests = Bucket(requests, clock, sleep)
        self.tokens = Bucket(tokens, clock, sleep)
        self._mean: float | None = None

    async def admit(self, first_guess: float) -> float:
        """Wait until one more call keeps within the limits; return the tokens it was taken for.

        `first_guess` is what a call may take, used until an answer has said what calls take.
        """
        estimate = first_guess if self._mean is None else self._mean
        await self.tokens.take(estimate)
        await self.requests.take(1)
        return estimate

    def settle(self, estimate: float, usage: Usage | None) -> None:
        """Put what a call took in the place of its estimate; None: it took nothing."""
        if usage is None:
            self.tokens.correct(-estimate)
            return
        if usage.input is None and usage.output is None:
            return  # nothing is known: the estimate stands
        took = float((usage.input or 0) + (usage.output or 0))
        mean = took if self._mean is None else self._mean
        self._mean = mean + MEMORY * (took - mean)
        self.tokens.correct(took - estimate)
