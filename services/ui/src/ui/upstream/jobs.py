"""Long jobs, found again: asked at most once a second, however many pages are open.

A page remembers nothing but the id that its reader picked, and may lose even that: after a
reload the job that goes on is found by asking the service, and followed from where it is.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from contracts.job import Job, JobState
from ui.errors import ProblemError
from ui.upstream.fresh import Fresh
from ui.upstream.job_calls import JobCalls

# More than a reader looks through; a service lists up to 200.
JOBS_SHOWN = 20
FRESH_SECONDS = 1.0


@dataclass(frozen=True)
class Watched:
    """The latest jobs, and one of them.

    Attributes:
        jobs: the newest first; as they were last known while the service does not answer, and
            None if they never were.
        chosen: the one that is followed.
        problem: why the service does not tell; None if it does.
    """

    jobs: tuple[Job, ...] | None = None
    chosen: Job | None = None
    problem: ProblemError | None = None


class JobWatch:
    """Follows the jobs of one kind.

    Args:
        calls: where they live.
        clock: monotonic seconds.
    """

    def __init__(self, calls: JobCalls, clock: Callable[[], float] = time.monotonic) -> None:
        self._calls = calls
        self._fresh = Fresh(self._ask, Watched(), lambda _: FRESH_SECONDS, clock)

    async def watched(self, picked: str = "") -> Watched:
        """Return the latest jobs and the one to follow; never raises.

        Where nothing was picked, or it is no longer known, that is the newest that goes on, else
        the next of those that wait, else the newest.
        """
        found = await self._fresh.now()
        if found.jobs is None:
            return found
        chosen = choose(found.jobs, picked)
        return Watched(found.jobs[:JOBS_SHOWN], chosen, found.problem)

    def stale(self) -> None:
        """Ask again at the next look: this page has just started, cancelled or resumed a job."""
        self._fresh.stale()

    async def _ask(self) -> Watched:
        try:
            return Watched(tuple(await self._calls.newest()))
        except ProblemError as problem:
            return Watched(self._fresh.latest.jobs, problem=problem)


def choose(jobs: Sequence[Job], picked: str) -> Job | None:
    """Return the job that was picked, else the one that goes on, else the newest."""
    named = [job for job in jobs if job.id == picked]
    running = [job for job in jobs if job.state is JobState.RUNNING]
    # The newest come first, and those that wait longest are next.
    waiting = [job for job in reversed(jobs) if job.state is JobState.QUEUED]
    return next(iter([*named, *running, *waiting, *jobs]), None)
