"""Tests of what all pages ask for together."""

import asyncio

from ui.upstream.fresh import Fresh


class Service:
    """Counts how often it is asked; its clock is set by hand."""

    def __init__(self) -> None:
        self.asked, self.now = 0, 0.0

    async def ask(self) -> int:
        """Return how often it was asked."""
        self.asked += 1
        await asyncio.sleep(0)
        return self.asked


def fresh(service: Service) -> Fresh[int]:
    """Return a keeper whose first answer is fresh for a second, later ones for ten."""
    return Fresh(service.ask, 0, lambda found: 1.0 if found < 2 else 10.0, lambda: service.now)


async def test_many_who_ask_at_once_are_one_question() -> None:
    """However many pages are open."""
    service = Service()
    kept = fresh(service)
    assert await asyncio.gather(*(kept.now() for _ in range(5))) == [1] * 5
    assert kept.latest == service.asked == 1


async def test_answer_grows_old_in_its_own_time_or_by_word() -> None:
    """A problem may be over soon; who changed something does not wait."""
    service = Service()
    kept = fresh(service)
    for now, answer in ((0.0, 1), (0.9, 1), (1.0, 2), (10.9, 2), (11.0, 3)):
        service.now = now
        assert await kept.now() == answer
    kept.stale()
    assert await kept.now() == 4
