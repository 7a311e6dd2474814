"""Starts generations and asks what they take; what goes wrong comes back in the reader's words."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from contracts.dataset import DatasetRequest
from contracts.estimate import CostEstimate
from contracts.job import Job
from ui.access.visitors import current_session, current_user
from ui.dataset.generation_form import BUDGET, digest_of, field_at_fault
from ui.dataset.generation_words import dollars_text, wrong_html
from ui.errors import ProblemError
from ui.service_notices import service_html
from ui.texts import Texts
from ui.upstream.dataset_calls import DatasetCalls
from ui.upstream.jobs import JobWatch

# More is no longer looked through.
SETS_SHOWN = 50
# What is wrong: the field of the form (none: no field's fault), and the words for the reader.
Said = tuple[str, str]


@dataclass(frozen=True)
class Estimated:
    """What a generation would take, or why that, or the generation, cannot be."""

    estimate: CostEstimate | None = None
    problem: Said | None = None


@dataclass(frozen=True)
class Started:
    """What a page started last: its job, and what makes the next start another one.

    Two clicks are one generation; the same form again, once that has ended, is a new one.
    """

    job: str = ""
    round: str = ""


@dataclass(frozen=True)
class Begun:
    """What was started, or why nothing was."""

    started: Started = Started()
    problem: Said | None = None


class Generation:
    """Asks datagen.

    Args:
        calls: where datasets are made.
        jobs: knows how the jobs are.
    """

    def __init__(self, calls: DatasetCalls, jobs: JobWatch) -> None:
        self.calls, self.jobs = calls, jobs

    async def question_sets(self) -> Mapping[str, tuple[int, int]]:
        """Return the question sets with their rows, to train on and held out; never raises."""
        try:
            found = await self.calls.question_sets()
        except ProblemError:
            return {}
        rows = {one.id: one.rows for one in found[:SETS_SHOWN]}
        return {name: (n.get("train", 0), n.get("heldout", 0)) for name, n in rows.items()}

    async def estimate(self, texts: Texts, request: DatasetRequest) -> Estimated:
        """Return what a generation would take; the teacher is asked a few questions for it."""
        try:
            return Estimated(await self.calls.estimate(request))
        except ProblemError as problem:
            return Estimated(problem=said(texts, problem))

    async def within(
        self, texts: Texts, request: DatasetRequest, budget: float, known: object
    ) -> Estimated:
        """Return a problem where a generation would cost more than `budget`, or nobody knows.

        Args:
            texts: the words.
            request: what is asked for.
            budget: in dollars.
            known: the digest of a form and its estimate, or None; if it is of this request,
                the teacher is not asked again.
        """
        found = Estimated()
        if isinstance(known, tuple | list) and known[0] == digest_of(request):
            found = Estimated(known[1])
        if found.estimate is None:
            found = await self.estimate(texts, request)
        if found.estimate is None:
            return found
        return Estimated(found.estimate, over_budget(texts, found.estimate, budget))

    async def start(self, texts: Texts, request: DatasetRequest, before: Started) -> Begun:
        """Start a generation; a second click on the same form finds the same job."""
        watched = await self.jobs.watched()
        ended = {job.id for job in watched.jobs or () if job.state.final}
        again = before.job if before.job in ended else before.round
        try:
            job = await self.calls.start(request, key_of(request, again))
        except ProblemError as problem:
            return Begun(problem=said(texts, problem))
        self.jobs.stale()
        return Begun(Started(job.id, again))


def key_of(request: DatasetRequest, again: str) -> str:
    """Return the key that makes two clicks of one page one job."""
    told = f"{current_user()}/{current_session()}/{again}/{digest_of(request)}"
    return hashlib.sha256(told.encode()).hexdigest()


def over_budget(texts: Texts, estimate: CostEstimate, budget: float) -> Said | None:
    """Return what is wrong where a generation would cost more than it may; else None."""
    if estimate.dollars is None:
        return BUDGET, wrong_html(texts("generate.cannot_price"))
    if estimate.dollars <= budget:
        return None
    values = {"cost": dollars_text(estimate.dollars), "budget": dollars_text(budget)}
    return BUDGET, wrong_html(texts("generate.over_budget", **values))


def said(texts: Texts, problem: ProblemError) -> Said:
    """Return at which field a refusal is said, and in which words."""
    field = field_at_fault(problem.values.get("field"))
    if field:
        return field, wrong_html(problem.detail, str(problem.values.get("hint") or ""))
    return "", service_html(texts, problem)


def job_name(job: Job) -> str:
    """Return the name that a generation was given."""
    return str(job.request.get("name") or job.id)
