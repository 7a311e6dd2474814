"""What the trainer says of its runs: asked at most once a second, however many pages are open."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from contracts.job import Job, JobState
from contracts.run import RunEvent, RunOutput, RunRecord
from ui.errors import ProblemError
from ui.upstream.backend import Backend

# The list begins with those that wait, the next one last: a long queue must not hide the others.
WAITING_SHOWN = 3
RUNS_SHOWN = 8
FRESH_SECONDS = 1.0
# More runs than this nobody looks through.
HISTORY = 100


@dataclass(frozen=True)
class Training:
    """The latest runs, and one of them.

    Attributes:
        runs: None where nobody answers.
        chosen: the one that is looked at.
        events: of that run.
        job: of that run, while it waits or goes on: it knows the stage and the newest figures.
    """

    runs: tuple[RunRecord, ...] | None = None
    chosen: RunRecord | None = None
    events: tuple[RunEvent, ...] = ()
    job: Job | None = None


class TrainingSource:
    """Asks the trainer for its runs.

    Args:
        backend: the services.
        clock: monotonic seconds.
    """

    def __init__(self, backend: Backend, clock: Callable[[], float] = time.monotonic) -> None:
        self.backend = backend
        self._clock = clock
        self._found: dict[str, tuple[float, Training]] = {}
        self._lock = asyncio.Lock()

    async def training(self, picked: str) -> Training:
        """Return the latest runs and the events of the run `picked`; never raises.

        Where nothing was picked, or it is not among them, the run that goes on is followed, else
        the newest.
        """
        async with self._lock:
            at, known = self._found.get(picked, (float("-inf"), Training()))
            if self._clock() - at < FRESH_SECONDS:
                return known
            found = await self._ask(picked)
            now = self._clock()
            kept = {key: old for key, old in self._found.items() if now - old[0] < FRESH_SECONDS}
            self._found = kept | {picked: (now, found)}
            return found

    async def _ask(self, picked: str) -> Training:
        try:
            runs = latest(await self.backend.trainer.runs())
        except ProblemError:
            return Training()
        chosen = choose(runs, picked)
        try:
            events = tuple(await self.backend.trainer.log(chosen.id)) if chosen else ()
        except ProblemError:
            events = ()
        return Training(runs, chosen, events, await self._job(chosen))

    async def _job(self, run: RunRecord | None) -> Job | None:
        if run is None or run.state.final:
            return None
        try:
            return await self.backend.trainer.jobs.get(run.id)
        except ProblemError:
            return None

    async def history(self) -> tuple[RunRecord, ...]:
        """Return all runs that a reader may look through, the newest first. Raises ProblemError."""
        runs = await self.backend.trainer.runs()
        return tuple(run for run in runs if run.state is not JobState.QUEUED)[:HISTORY]

    async def events_of(self, run_ids: Sequence[str]) -> dict[str, tuple[RunEvent, ...]]:
        """Return the events of runs by their ids; a log that cannot be read is left out."""
        asked = (self.backend.trainer.log(run_id) for run_id in run_ids)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        found = {}
        for run_id, answer in zip(run_ids, answers, strict=True):
            if isinstance(answer, list):
                found[run_id] = tuple(answer)
            elif not isinstance(answer, ProblemError):
                raise answer
        return found

    async def output(self, run: RunRecord | None) -> RunOutput:
        """Return the end of what a run's engine wrote; nothing where that is not known."""
        if run is None:
            return RunOutput()
        try:
            return await self.backend.trainer.output(run.id)
        except ProblemError:
            return RunOutput()

    def stale(self) -> None:
        """Ask again at the next look: this page has just started, stopped or resumed a run."""
        self._found = {}


def latest(runs: Sequence[RunRecord]) -> tuple[RunRecord, ...]:
    """Return the next of those that wait, and the newest of the others, as they were listed."""
    waiting = [run for run in runs if run.state is JobState.QUEUED]
    others = [run for run in runs if run.state is not JobState.QUEUED]
    return (*waiting[-WAITING_SHOWN:], *others[:RUNS_SHOWN])


def choose(runs: tuple[RunRecord, ...], picked: str) -> RunRecord | None:
    """Return the run that was picked, else the one that goes on, else the newest."""
    named = [run for run in runs if run.id == picked]
    going_on = [run for run in runs if run.state is JobState.RUNNING]
    others = [run for run in runs if run.state is not JobState.QUEUED]
    return next(iter([*named, *going_on, *others, *runs]), None)
