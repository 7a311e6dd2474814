"""The job "dataset": plan, generate, settle, publish; resumable at every step."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from contracts.dataset import Counts, DatasetManifest, DatasetRequest
from contracts.job import Job, JobState, Progress
from contracts.style import Language
from contracts.volume import MANIFEST, Volume
from datagen.board import Board, progress_of
from datagen.finishing import publish_generated
from datagen.generate import PLAN, Plan, pinned_plan
from datagen.journals import SAMPLES, read_samples
from datagen.library import StyleLibrary
from datagen.makings import Makings
from datagen.metrics import Metrics
from datagen.prompts import Prompts
from datagen.publish import finish_publishing
from datagen.questions import Bank
from datagen.replies import Remembered, Replies
from datagen.settling import MARK, SETTLED, Settling
from datagen.storage import RESUME, full_volume_told
from datagen.teachers import Asked
from datagen.telling import Telling
from kit.crisis import Screen
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
        with full_volume_told(RESUME):
            return await self._run(job, context)

    async def _run(self, job: Job, context: JobContext) -> Outcome:
        staging = self.volume.staging(self.volume.dataset(job.id))
        if (staging / MANIFEST).exists():  # killed in the last step
            return await self._published(
                job, await asyncio.to_thread(finish_publishing, self.volume, job.id)
            )
        # An earlier release took the plan away before it wrote the manifest: its rows are final.
        final = not (staging / PLAN).exists() and (staging / SAMPLES).exists()
        request = DatasetRequest.model_validate(job.request)
        plan = await asyncio.to_thread(
            pinned_plan,
            staging,
            lambda: Plan(request=request, styles=self.library.choose(request.styles)),
        )
        stopped, tell = Stopper(lambda: context.cancelled), Telling(context)
        if not (staging / SETTLED / MARK).exists():
            counts, whole = await self._generate(staging, plan, tell, stopped)
            if not whole:
                return Outcome(JobState.CANCELLED, result={"counts": counts.model_dump()})
            if final or await asyncio.to_thread(of_earlier_release, staging):
                return await self._publish(job, plan, counts, tell)
        settled = await self._settle(staging, plan, tell, stopped)
        if settled is None:
            return Outcome(JobState.CANCELLED)
        return await self._publish(job, plan, settled, tell)

    async def _generate(
        self, staging: Path, plan: Plan, tell: Telling, stopped: "Stopper"
    ) -> tuple[Counts, bool]:
        """Fill the slots, as many calls at once as the teacher bears.

        Returns the counts, and whether every slot is filled or given up.
        """
        with await asyncio.to_thread(Replies, staging) as replies:
            teacher = Remembered(self.teacher, replies)
            generation = self._makings.generation(
                plan,
                staging,
                teacher,
                metrics=self.metrics,
                on_change=lambda board: self._show(board, tell, teacher),
                stopped=stopped,
            )
            self.metrics.target.set(len(generation.board.slots))
            board = await generation.run(self.teacher.most)
            tell.pay(teacher)
        tell(board.progress(), force=True)
        return board.counts(), not board.open_slots()

    async def _settle(
        self, staging: Path, plan: Plan, tell: Telling, stopped: "Stopper"
    ) -> Counts | None:
        """Return the counts of the rows as they stay; None where somebody stopped it."""
        settling = Settling(
            staging,
            [staging],
            self.teacher,
            partial(self._makings.generation, plan),
            on_change=lambda board: tell(board.progress("settle")),
            stopped=stopped,
        )
        return await settling.run()

    @property
    def _makings(self) -> Makings:
        return Makings(self.banks, self.prompts, self.screens, self.volume)

    def _show(self, board: Board, tell: Telling, teacher: Remembered) -> None:
        """Show how far the generation is."""
        tell.pay(teacher)
        tell(board.progress())
        if board.duplicate_ratio is not None:
            self.metrics.duplicates.set(board.duplicate_ratio)

    async def _publish(self, job: Job, plan: Plan, counts: Counts, tell: Telling) -> Outcome:
        tell(Progress(stage="publish", done=counts.accepted, total=counts.asked), force=True)
        manifest = await asyncio.to_thread(
            publish_generated, self.volume, job.id, plan, counts, self.teacher.model
        )
        tell(progress_of(counts), force=True)
        return await self._published(job, manifest)

    async def _published(self, job: Job, manifest: DatasetManifest) -> Outcome:
        await asyncio.to_thread(show_newest, self.volume, self.metrics)
        logger.info("dataset published", extra={"job": job.id, "rows": manifest.rows})
        return outcome(manifest)


def of_earlier_release(staging: Path) -> bool:
    """Return whether a row in `staging` does not know its call, as an earlier release kept rows.

    It drew its questions in another way: to settle such rows would ask for all of them again.
    """
    return any(row.teacher and row.provenance is None for row in read_samples(staging))


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
