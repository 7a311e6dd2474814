"""The job "judging": a judge rates the rows of a finished dataset, so that a gate can ask for it.

The ratings lie beside the dataset, which stays as it is: a journal in the state folder, one line
for each row. A killed job goes on where its journal ends; no row is paid for twice.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from contracts.durable import Journal, read_journal
from contracts.job import Job, JobState, Progress
from contracts.judge import JudgingRequest, RatedRow, Rating
from contracts.sample import Sample
from contracts.style import Style
from contracts.volume import Volume
from datagen.journals import read_samples
from datagen.llm_judge import LlmJudge
from datagen.measured import Measured
from kit.errors import TonesmithError
from kit.worker import JobContext, Outcome

KIND = "judging"


class CancelledError(TonesmithError):
    """Somebody asked the job to stop; what is journalled stays."""


def journal_of(state_dir: Path, dataset_id: str) -> Path:
    """Return where the ratings of a dataset's rows are kept."""
    return state_dir / "judged" / f"{dataset_id}.jsonl"


def with_ratings(measured: Measured, state_dir: Path, dataset_id: str) -> Measured:
    """Return `measured` with the ratings of its rows; the very same where there are none."""
    path = journal_of(state_dir, dataset_id)
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return measured
    ratings = ratings_in(path, size)
    figures = [
        replace(figures, rating=ratings[row.id]) if row.id in ratings else figures
        for row, figures in zip(measured.rows, measured.figures, strict=True)
    ]
    return replace(measured, figures=figures) if ratings else measured


@lru_cache(maxsize=2)
def ratings_in(path: Path, size: int) -> Mapping[str, Rating]:
    """Return the ratings in a journal of `size` bytes, by row; a journal only ever grows."""
    rows = map(RatedRow.model_validate_json, read_journal(path))
    return {row.row: row.rating for row in rows if row.rating.scores}


class JudgingHandler:
    """Rates rows for `kit.worker.Worker`.

    Args:
        volume: holds the datasets.
        judge: raises ConflictError where there is none.
        state_dir: where the journals are kept.
    """

    def __init__(self, volume: Volume, judge: Callable[[], LlmJudge], state_dir: Path) -> None:
        self.volume = volume
        self.judge = judge
        self.state_dir = state_dir

    async def __call__(self, job: Job, context: JobContext) -> Outcome:
        """Rate the rows that are not rated yet. Raises TonesmithError."""
        request = JudgingRequest.model_validate(job.request)
        judge = self.judge()
        manifest = await asyncio.to_thread(self.volume.dataset_manifest, request.dataset_id)
        cards = {version.style.id: version.style for version in manifest.styles}
        folder = self.volume.dataset(request.dataset_id)
        samples = await asyncio.to_thread(lambda: list(read_samples(folder)))
        wanted = drawn([one for one in samples if one.style in cards], request)
        path = journal_of(self.state_dir, request.dataset_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            done = await rate_rows(judge, wanted, cards, path, context)
        except CancelledError:
            return Outcome(JobState.CANCELLED)
        unjudged = sum(not rating.scores for rating in done.values())
        result = {"rows": len(done), "unjudged": unjudged, "judge": judge.model}
        return Outcome(JobState.DONE, result=result)


def drawn(samples: list[Sample], request: JudgingRequest) -> list[Sample]:
    """Return the rows that are to be rated: all, or a part drawn by the request's seed."""
    if request.rows is None or request.rows >= len(samples):
        return samples
    return random.Random(request.seed).sample(samples, request.rows)


async def rate_rows(
    judge: LlmJudge,
    wanted: list[Sample],
    cards: Mapping[str, Style],
    path: Path,
    context: JobContext,
) -> dict[str, Rating]:
    """Return the ratings of rows; those in the journal are not asked for again.

    Raises CancelledError, and what `LlmJudge.rate` raises; the ratings so far stay.
    """
    with Journal(path) as journal:
        rows = map(RatedRow.model_validate_json, read_journal(path))
        found = {row.row: row.rating for row in rows if row.judge == judge.model}
        waiting = deque(one for one in wanted if one.id not in found)

        async def work() -> None:
            while waiting:
                if context.cancelled:
                    raise CancelledError("cancelled")
                row = waiting.popleft()
                rating = await rated(judge, cards[row.style], row)
                line = RatedRow(row=row.id, judge=judge.model, rating=rating)
                journal.append([line.model_dump_json()])
                found[row.id] = rating
                left = len(wanted) - len(waiting)
                context.progress(Progress(stage="judge", done=left, total=len(wanted)))

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(judge.most, len(waiting))):
                    group.create_task(work())
        except* TonesmithError as errors:
            failure = errors.exceptions[0]
        else:
            return {one.id: found[one.id] for one in wanted}
    raise failure


async def rated(judge: LlmJudge, style: Style, row: Sample) -> Rating:
    """Return the judge's rating of one row."""
    return await judge.rate(
        style, row.question, row.reply, history=row.history, safe_reply=bool(row.safety)
    )
