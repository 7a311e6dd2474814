"""Carries votes to datagen: one after the other, and again later where it does not answer."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator

from kit.config import SettingsError
from ui.errors import ProblemError
from ui.kept.ballots import Ballots
from ui.upstream.backend import Backend

logger = logging.getLogger(__name__)
# A look at an empty outbox costs next to nothing.
LOOK_SECONDS = 2.0
LONGEST_SECONDS = 60.0


class Courier:
    """Sends what waits, in the order in which it was said.

    Args:
        ballots: what waits.
        backend: datagen.
    """

    def __init__(self, ballots: Ballots, backend: Backend) -> None:
        self.ballots = ballots
        self.backend = backend

    async def deliver(self) -> bool:
        """Send all that waits; return whether datagen took or refused every one of them.

        A refusal of one vote stands by itself; where nobody answers, or we are not let in, all
        of them wait. Each is looked up when it is its turn: its person may have been forgotten.
        """
        if not self.ballots.state.present:
            return True
        while waiting := await asyncio.to_thread(self.ballots.waiting, 1):
            (ballot,) = waiting
            try:
                await self.backend.proof.vote(ballot.vote)
            except ProblemError as problem:
                if not is_final(problem):
                    return False
                await asyncio.to_thread(self.ballots.turn_down, ballot, problem.detail)
            else:
                await asyncio.to_thread(self.ballots.sent, ballot)
        return True

    async def run(self) -> None:
        """Deliver until cancelled, less often while nobody answers or nothing can be read."""
        pause = LOOK_SECONDS
        while True:
            await asyncio.sleep(pause)
            try:
                done = await self.deliver()
            except (sqlite3.Error, SettingsError, OSError):
                logger.exception("votes that wait cannot be read or written")
                done = False
            pause = LOOK_SECONDS if done else min(2 * pause, LONGEST_SECONDS)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Deliver in the background for as long as the context lasts."""
        task = asyncio.create_task(self.run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def is_final(problem: ProblemError) -> bool:
    """Return whether sending the same vote again would end the same way."""
    return problem.kind == "http_4xx" and problem.values.get("status") not in (401, 403, 408, 429)
