"""Requests and tokens a minute, on a clock that the test moves."""

import asyncio

import pytest

from datagen.pacing import Bucket, Pace
from datagen.usage import Usage
from fakes.clock import FakeClock


class SharedClock(FakeClock):
    """A clock on which many tasks sleep side by side: it moves to whoever wakes first."""

    def __init__(self) -> None:
        super().__init__()
        self.sleepers: list[tuple[float, asyncio.Future[None]]] = []

    async def sleep(self, seconds: float) -> None:
        """Wait until somebody has moved the clock on."""
        woken = asyncio.get_running_loop().create_future()
        self.sleepers.append((self.now + seconds, woken))
        await woken

    async def run_until(self, end: float) -> None:
        """Move on to `end`, waking who is due on the way."""
        while True:
            for _ in range(20):
                await asyncio.sleep(0)
            self.sleepers = [entry for entry in self.sleepers if not entry[1].done()]
            due = min(self.sleepers, key=lambda entry: entry[0], default=None)
            if due is None or due[0] > end:
                self.now = end
                return
            self.now = due[0]
            due[1].set_result(None)


async def sent_times(bucket: Bucket, clock: SharedClock, count: int, seconds: float) -> list[float]:
    """Return when each of `count` calls that come at once may go out."""
    times: list[float] = []

    async def call() -> None:
        await bucket.take(1)
        times.append(clock())

    tasks = [asyncio.create_task(call()) for _ in range(count)]
    await clock.run_until(seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return times


@pytest.mark.parametrize("per_minute", [6, 60, 600])
async def test_no_minute_sees_more_than_the_limit(per_minute: int) -> None:
    """In every window of sixty seconds, also the first; and hardly less than the limit."""
    clock = SharedClock()
    bucket = Bucket(per_minute, clock, clock.sleep)
    times = await sent_times(bucket, clock, per_minute * 3, 120)
    assert times[0] == 0
    for start in times[:: max(1, per_minute // 20)]:
        window = sum(start <= time < start + 60 - 1e-6 for time in times)
        assert window <= per_minute
    assert len(times) >= per_minute * 2 * 0.95 - 1


async def test_no_limit_never_waits() -> None:
    """None is no limit."""
    clock = FakeClock()
    bucket = Bucket(None, clock, clock.sleep)
    for _ in range(1000):
        await bucket.take(1e9)
    assert clock.slept == []


async def test_first_call_goes_out_at_once_however_large() -> None:
    """The next one waits until it is made up for."""
    clock = FakeClock()
    bucket = Bucket(600, clock, clock.sleep)
    await bucket.take(305)
    assert clock() == 0
    await bucket.take(1)
    assert clock() == pytest.approx((305 - bucket._most) / bucket.rate)


async def test_cancelled_call_takes_nothing() -> None:
    """Those behind it do not wait for it."""
    clock = SharedClock()
    bucket = Bucket(60, clock, clock.sleep)
    await bucket.take(1)
    task = asyncio.create_task(bucket.take(50))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert bucket.level == pytest.approx(-1)


async def test_tokens_are_estimated_by_what_calls_took() -> None:
    """The guess counts once; then the mean of the answers does."""
    clock = FakeClock()
    pace = Pace(tokens=60_000, clock=clock, sleep=clock.sleep)
    assert await pace.admit(5000) == 5000
    pace.settle(5000, Usage(input=90, output=10))
    assert await pace.admit(5000) == 100
    pace.settle(100, Usage(input=190, output=10))
    assert await pace.admit(5000) == pytest.approx(105)


async def test_call_that_took_nothing_gives_its_tokens_back() -> None:
    """Refused ones do not slow the others down; unknown ones keep their estimate."""
    clock = FakeClock()
    pace = Pace(tokens=61, clock=clock, sleep=clock.sleep)
    pace.settle(await pace.admit(500), None)
    assert pace.tokens.level == 0
    pace.settle(await pace.admit(500), Usage())
    assert pace.tokens.level == -500
