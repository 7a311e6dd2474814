"""The job "dataset": plan, generate, publish; resumable at every step."""

import asyncio
import errno
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from contracts.dataset import DatasetManifest, DatasetRequest
from contracts.job import Job, JobState, Progress
from contracts.style import Language
from contracts.volume import MANIFEST, Volume
from datagen.board import Board
from datagen.crisis import Screen
from datagen.errors import NothingAcceptedError
from datagen.generate import Generation, Plan, pinned_plan
from datagen.journals import read_samples
from datagen.library import StyleLibrary
from datagen.metrics import Metrics
from datagen.prompts import Prompts
from datagen.publish import Description, publish_dataset
from datagen.questions import Bank
from datagen.teachers import Asked
from kit.errors import StorageFullError
from kit.worker import JobContext, Outcome

logger = logging.getLogger(__name__)
KIND = "dataset"


@dataclass(frozen=True)
class DatasetHandler:
    """Runs generations for `kit.worker.Worker`."""

    volume: Volume
    library: StyleLibrary
    banks: dict[Language, Bank]
    prompts: Prompts
    teacher: Asked
    metrics: Metrics
    screens: Mapping[Language, Screen] = field(default_factory=dict)

    async def __call__(self, job: Job, context: JobContext) -> Outcome:
        """Generate the dataset, or go on with it. Raises TonesmithError."""
        target = self.volume.dataset(job.id)
        if (target / MANIFEST).exists():  # killed between publication and the job's last state
            return outcome(self.volume.dataset_manifest(job.id))
        try:
            return await self._run(job, context)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise StorageFullError(
                "the volume is full", hint="make room, then resume the job"
            ) from error

    async def _run(self, job: Job, context: JobContext) -> Outcome:
        staging = self.volume.staging(self.volume.dataset(job.id))
        request = DatasetRequest.model_validate(job.request)
        plan = await asyncio.to_thread(
            pinned_plan,
            staging,
            lambda: Plan(request=request, styles=self.library.choose(request.styles)),
        )
        generation = Generation(
            staging,
            plan,
            banks=self.banks,
            prompts=self.prompts,
            teacher=self.teacher,
            metrics=self.metrics,
            screens=self.screens,
            on_change=lambda board: self._show(board, context),
            stopped=Stopper(lambda: context.cancelled),
        )
        self.metrics.target.set(len(generation.board.slots))
        board = await generation.run(self.teacher.most)
        context.progress(board.progress(), force=True)
        if board.open_slots():
            return Outcome(JobState.CANCELLED, result={"counts": board.counts().model_dump()})
        return await self._publish(job, plan, board, context)

    def _show(self, board: Board, context: JobContext) -> None:
        """Show how far the generation is."""
        context.progress(board.progress())
        if board.duplicate_ratio is not None:
            self.metrics.duplicates.set(board.duplicate_ratio)

    async def _publish(self, job: Job, plan: Plan, board: Board, context: JobContext) -> Outcome:
        if not board.filled:
            reasons = ", ".join(f"{name} {n}" for name, n in board.counts().rejected.items())
            raise NothingAcceptedError(
                f"not one row passed the gates: {reasons}",
                hint="look at the rejected rows; correct the style cards or the teacher",
            )
        counts = board.counts()
        context.progress(
            Progress(stage="publish", done=counts.accepted, total=counts.asked), force=True
        )
        description = Description(
            source="generated",
            status="incomplete" if board.given_up else "complete",
            conditioning=plan.request.conditioning,
            eval_ratio=plan.request.eval_ratio,
            seed=plan.request.seed,
            styles=plan.styles,
            counts=counts,
            request=plan.request.model_dump(mode="json"),
            teacher=self.teacher.model,
        )
        staging = self.volume.staging(self.volume.dataset(job.id))
        manifest = await asyncio.to_thread(
            publish_dataset, self.volume, job.id, list(read_samples(staging)), description
        )
        await asyncio.to_thread(show_newest, self.volume, self.metrics)
        logger.info("dataset published", extra={"job": job.id, "rows": manifest.rows})
        context.progress(board.progress(), force=True)
        return outcome(manifest)


def readable_manifests(volume: Volume) -> list[DatasetManifest]:
    """Return the manifests of the published datasets, newest first.

    One that cannot be read (of a newer release, or damaged) is logged and does not hide the rest.
    """
    found = []
    for name in volume.published("datasets"):
        try:
            found.append(volume.dataset_manifest(name))
        except (OSError, ValueError):
            logger.warning("unreadable dataset manifest", extra={"dataset": name}, exc_info=True)
    return sorted(found, key=lambda manifest: manifest.created_at, reverse=True)


def show_newest(volume: Volume, metrics: Metrics) -> None:
    """Show rows and size of the newest dataset, if there is one."""
    for manifest in readable_manifests(volume)[:1]:
        folder = volume.dataset(manifest.id)
        sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
        metrics.show_dataset(manifest.rows, sum(sizes))


class Stopper:
    """Asks whether to stop at most once for so many questions: each asks the database."""

    def __init__(self, ask: Callable[[], bool], every: int = 8) -> None:
        self.ask, self.every = ask, every
        self.asked, self.answer = 0, False

    def __call__(self) -> bool:
        """Return whether to stop; once yes, always yes."""
        if not self.answer and self.asked % self.every == 0:
            self.answer = self.ask()
        self.asked += 1
        return self.answer


def outcome(manifest: DatasetManifest) -> Outcome:
    """Return the final state of a published dataset."""
    complete = manifest.status == "complete"
    result = {
        "dataset_id": manifest.id,
        "rows": manifest.rows,
        "counts": manifest.counts.model_dump(),
    }
    return Outcome(JobState.DONE if complete else JobState.INCOMPLETE, result=result)
