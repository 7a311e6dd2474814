"""Follows generations for all pages together: their pace, and examples of what was refused."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from contracts.job import Job
from contracts.sample import Rejected
from ui.dataset.generation_pace import Pace
from ui.dataset.generation_progress import reasons_of
from ui.errors import ProblemError
from ui.upstream.dataset_calls import DatasetCalls
from ui.upstream.jobs import JobWatch, Watched

# A journal is read for them, so not at every look.
FRESH_SECONDS = 10.0
EXAMPLES_READ, JOBS_KEPT = 100, 20


@dataclass(frozen=True)
class Examples:
    """Rows of one job that were refused, and how many there were when they were asked for."""

    asked_at: float = float("-inf")
    count: int = -1
    rows: tuple[Rejected, ...] = ()


class GenerationWatch:
    """Asks datagen how generations are.

    Args:
        calls: where datasets are made.
        jobs: the jobs.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        calls: DatasetCalls,
        jobs: JobWatch,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.calls, self.jobs = calls, jobs
        self.pace = Pace()
        self._clock = clock
        self._examples: dict[str, Examples] = {}

    async def watched(self, picked: str) -> Watched:
        """Return the generations, and the one to follow; never raises."""
        watched = await self.jobs.watched(picked)
        for job in watched.jobs or ():
            self.pace.note(job)
        return watched

    async def examples(self, job: Job) -> tuple[Rejected, ...]:
        """Return the newest rows of a job that were refused, as known some seconds ago."""
        count = sum(number for _, number in reasons_of(job))
        known = self._examples.get(job.id, Examples())
        now = self._clock()
        if not count or known.count == count or now - known.asked_at < FRESH_SECONDS:
            return known.rows
        try:
            start = max(count - EXAMPLES_READ, 0)
            rows = tuple(await self.calls.refused(job.id, start, EXAMPLES_READ))
        except ProblemError:
            rows = known.rows
        self._examples[job.id] = Examples(now, count, rows)
        while len(self._examples) > JOBS_KEPT:
            self._examples.pop(next(iter(self._examples)))
        return rows
