"""Tests of who works when on the event loop."""

import asyncio

from datagen.turns import Turnstile, tasks_for


async def test_a_burst_is_let_through_one_by_one_in_order() -> None:
    """Between two of those who wait everybody else gets a turn."""
    turnstile, seen = Turnstile(), list[str]()

    async def wait(number: int) -> None:
        await turnstile.passed()
        seen.append(str(number))

    async def tick() -> None:
        while len([entry for entry in seen if entry != "tick"]) < 5:
            seen.append("tick")
            await asyncio.sleep(0)

    await asyncio.gather(*(wait(number) for number in range(5)), tick())
    places = [place for place, entry in enumerate(seen) if entry != "tick"]
    assert [seen[place] for place in places] == ["0", "1", "2", "3", "4"]
    assert all(later - earlier >= 2 for earlier, later in zip(places, places[1:], strict=False))


async def test_who_gives_up_does_not_hold_up_the_others() -> None:
    """Cancelled tasks are passed over, and an empty turnstile opens again for the next burst."""
    turnstile = Turnstile()
    tasks = [asyncio.create_task(turnstile.passed()) for _ in range(4)]
    await asyncio.sleep(0)
    for task in tasks[:3]:
        task.cancel()
    await asyncio.wait(tasks)
    assert [task.cancelled() for task in tasks] == [True, True, True, False]
    await asyncio.wait_for(turnstile.passed(), 30)


def test_there_are_more_tasks_than_calls() -> None:
    """A quarter more, and at least one."""
    assert [tasks_for(calls) for calls in (1, 2, 16, 64)] == [2, 3, 20, 80]
