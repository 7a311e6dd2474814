"""Tests of work that is given up as soon as nobody wants it."""

import asyncio

import pytest

from trainer.unless import unless


async def answer() -> int:
    """Return at once."""
    return 42


async def test_wanted_work_returns_what_it_does() -> None:
    """Nobody is asked where it is quick."""
    assert await unless(lambda: False, answer()) == 42


async def test_unwanted_work_is_stopped_before_the_answer() -> None:
    """Nothing of it goes on afterwards."""
    stopped = []

    async def work() -> int:
        try:
            await asyncio.sleep(60)
        finally:
            stopped.append(True)
        return 42

    assert await unless(lambda: True, work()) is None
    assert stopped == [True]


async def test_error_of_the_work_is_raised() -> None:
    """As it is."""

    async def work() -> int:
        raise ValueError("no such model")

    with pytest.raises(ValueError, match="no such model"):
        await unless(lambda: False, work())
