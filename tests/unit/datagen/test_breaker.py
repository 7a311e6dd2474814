"""Tests of the circuit breaker and the adaptive limit, on a clock that the test moves."""

import asyncio
import random

import pytest

from datagen.breaker import AdaptiveLimit, Breaker, backoff
from fakes.clock import FakeClock


def opened(clock: FakeClock) -> Breaker:
    """Return a breaker that has just opened."""
    breaker = Breaker(threshold=10, clock=clock, sleep=clock.sleep)
    for _ in range(10):
        breaker.failed()
    return breaker


async def test_breaker_opens_after_ten_failures_in_a_row() -> None:
    """Nine failures and a success leave it closed."""
    clock = FakeClock()
    breaker = Breaker(clock=clock, sleep=clock.sleep)
    for _ in range(9):
        breaker.failed()
    breaker.succeeded()
    for _ in range(9):
        breaker.failed()
    assert not breaker.is_open
    assert await breaker.admit() is False
    breaker.failed()
    assert breaker.is_open


async def test_open_breaker_lets_one_probe_through_at_a_time() -> None:
    """The others wait until the probe has a verdict."""
    clock = FakeClock()
    breaker = opened(clock)
    assert await breaker.admit() is True
    assert clock() >= 1.0
    waiting = asyncio.create_task(breaker.admit())
    await asyncio.sleep(0)
    assert not waiting.done()
    breaker.succeeded()
    assert await waiting is False


async def test_probes_become_rarer_while_the_teacher_is_away() -> None:
    """The wait doubles up to half a minute."""
    clock = FakeClock()
    breaker = opened(clock)
    waits = []
    for _ in range(7):
        before = clock()
        assert await breaker.admit() is True
        waits.append(clock() - before)
        breaker.failed(probe=True)
    assert waits == pytest.approx([1, 2, 4, 8, 16, 30, 30])


async def test_calls_that_were_under_way_do_not_put_the_first_probe_off() -> None:
    """When sixty-four fail at once, the first probe still comes after a second."""
    clock = FakeClock()
    breaker = opened(clock)
    for _ in range(54):
        breaker.failed()
    assert await breaker.admit() is True
    assert clock() == pytest.approx(1.0)


async def test_cancelled_probe_does_not_block_the_next() -> None:
    """A probe without a verdict gives its place back."""
    breaker = opened(FakeClock())
    await breaker.admit()
    breaker.released()
    assert await breaker.admit() is True


async def test_waiting_call_may_give_up() -> None:
    """The check is asked before each wait."""
    breaker = opened(FakeClock())

    def check() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await breaker.admit(check)


async def test_limit_bounds_the_calls_at_once_and_halves_once_for_a_burst() -> None:
    """Five 429 in one second halve once; answers let it grow again, never over the bound."""
    clock = FakeClock(100.0)
    limit = AdaptiveLimit(8, clock=clock)
    for _ in range(5):
        limit.halve()
    assert limit.value == 4
    clock.now += 1.5
    limit.halve()
    assert limit.value == 2
    running: list[int] = []

    async def call() -> None:
        async with limit.slot():
            running.append(limit.running)
            await asyncio.sleep(0)

    await asyncio.gather(*(call() for _ in range(12)))
    assert max(running) == 2
    for _ in range(200):
        limit.grow()
    assert limit.value == 8


def test_late_429_of_an_old_call_does_not_halve_again() -> None:
    """It was sent before the limit was halved, so it says nothing about the new one."""
    clock = FakeClock(100.0)
    limit = AdaptiveLimit(16, least=3, clock=clock)
    limit.halve(started=99.0)
    clock.now += 5
    limit.halve(started=99.5)
    assert limit.value == 8
    for started in (101.0, 106.0, 107.0, 108.0):
        clock.now = started
        limit.halve(started)
    assert limit.value == 3


async def test_places_are_given_in_order_and_survive_cancelling() -> None:
    """Who waits longest comes first; a waiting call that is cancelled takes no place along."""
    limit = AdaptiveLimit(1, clock=FakeClock())
    order: list[int] = []

    async def call(number: int) -> None:
        async with limit.slot():
            order.append(number)
            await asyncio.sleep(0)

    calls = [asyncio.create_task(call(number)) for number in range(4)]
    await asyncio.sleep(0)
    calls[1].cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    assert order == [0, 2, 3]
    assert limit.running == 0


async def test_place_that_is_given_to_a_cancelled_call_goes_to_the_next() -> None:
    """Both may happen before the call runs again."""
    limit = AdaptiveLimit(1, clock=FakeClock())
    first = limit.slot()
    await first.__aenter__()
    waiting = asyncio.create_task(limit.slot().__aenter__())
    await asyncio.sleep(0)
    await first.__aexit__(None, None, None)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert limit.running == 0


def test_backoff_has_full_jitter_under_a_doubling_bound() -> None:
    """Waits spread over the whole range, whose end doubles up to 30 s."""
    chance = random.Random(1)
    for tries, bound in ((1, 0.5), (2, 1.0), (3, 2.0), (12, 30.0)):
        waits = [backoff(tries, chance) for _ in range(300)]
        assert 0 <= min(waits) < bound * 0.1
        assert bound * 0.9 < max(waits) <= bound
