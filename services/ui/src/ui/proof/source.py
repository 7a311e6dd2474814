"""Published evaluations, asked for by all pages together: they never change, so each is kept."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from contracts.evaluation import EvaluationReport, Reply
from contracts.votes import VoteCounts
from ui.errors import ProblemError
from ui.upstream.fresh import Fresh
from ui.upstream.proof_calls import ProofCalls

# Evaluations whose replies are kept in memory; what each brings is bounded in `proof_calls`.
KEPT = 4
FRESH_SECONDS = 10.0
# While datagen hangs each look takes as long as a call may: many pages must not queue for theirs.
RETRY_SECONDS = 1.0
Clock = Callable[[], float]


@dataclass(frozen=True)
class Proofs:
    """What there is.

    Attributes:
        reports: the newest first; None if datagen never told.
        problem: why it does not tell now.
    """

    reports: tuple[EvaluationReport, ...] | None = None
    problem: ProblemError | None = None

    def find(self, picked: str) -> EvaluationReport | None:
        """Return the report that was picked, else the newest."""
        every = self.reports or ()
        return next((one for one in every if one.id == picked), next(iter(every), None))


class ProofSource:
    """Asks datagen for evaluations.

    Args:
        calls: the way to it.
        clock: monotonic seconds.
    """

    def __init__(self, calls: ProofCalls, clock: Clock = time.monotonic) -> None:
        self._calls = calls
        self._fresh = Fresh(self._ask, Proofs(), patience, clock)
        self._done: frozenset[str] = frozenset()
        self._replies: OrderedDict[str, list[Reply]] = OrderedDict()

    def expect(self, done: frozenset[str]) -> None:
        """Ask again at the next look where an evaluation has ended that was not known."""
        if done - self._done:
            self._done = done
            self._fresh.stale()

    async def proofs(self) -> Proofs:
        """Return the latest evaluations; never raises."""
        return await self._fresh.now()

    async def _ask(self) -> Proofs:
        try:
            return Proofs(tuple(await self._calls.reports()))
        except ProblemError as problem:
            return Proofs(self._fresh.latest.reports, problem)

    async def replies(self, evaluation: str) -> list[Reply]:
        """Return the replies of an evaluation. Raises ProblemError."""
        if evaluation in self._replies:
            self._replies.move_to_end(evaluation)
            return self._replies[evaluation]
        found = await self._calls.replies(evaluation)
        self._replies[evaluation] = found
        while len(self._replies) > KEPT:
            self._replies.popitem(last=False)
        return found

    async def counts(self) -> VoteCounts:
        """Return how many votes there are. Raises ProblemError."""
        return await self._calls.counts()


def patience(found: Proofs) -> float:
    """Return for how many seconds an answer is fresh: a problem may be over soon."""
    return RETRY_SECONDS if found.problem else FRESH_SECONDS
