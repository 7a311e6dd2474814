"""The job "questions": plan the grid, let the teacher write, publish; resumable at every step."""

import asyncio
import logging
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from contracts.job import Job, JobState
from contracts.question_set import (
    QuestionSetManifest,
    QuestionSetRequest,
    RejectedQuestion,
    SetQuestion,
)
from contracts.style import Language
from contracts.volume import MANIFEST, Volume
from datagen.datasets import Stopper
from datagen.errors import NothingAcceptedError
from datagen.question_board import QuestionBoard, WrittenQuestion, read_written
from datagen.question_gates import QuestionGates
from datagen.question_prompts import Cell
from datagen.question_publish import SetDescription, finish_set, publish_set
from datagen.question_writing import Authors, QuestionWriting
from datagen.questions import Bank
from datagen.spread import spread
from datagen.storage import RESUME, full_volume_told
from kit.crisis import Screen
from kit.errors import InvalidInputError
from kit.worker import JobContext, Outcome

logger = logging.getLogger(__name__)
KIND = "questions"


@dataclass(frozen=True)
class QuestionSetHandler:
    """Runs the writing of question sets for `kit.worker.Worker`."""

    volume: Volume
    banks: Mapping[Language, Bank]
    authors: Authors
    screens: Mapping[Language, Screen]

    async def __call__(self, job: Job, context: JobContext) -> Outcome:
        """Write the set, or go on with it. Raises TonesmithError."""
        target = self.volume.question_set(job.id)
        if (target / MANIFEST).exists():  # killed between publication and the job's last state
            return outcome(self.volume.question_set_manifest(job.id))
        with full_volume_told(RESUME):
            return await self._run(job, context)

    async def _run(self, job: Job, context: JobContext) -> Outcome:
        staging = self.volume.staging(self.volume.question_set(job.id))
        if (staging / MANIFEST).exists():  # killed in the last step
            return outcome(await asyncio.to_thread(finish_set, self.volume, job.id))
        request = QuestionSetRequest.model_validate(job.request)
        stopped = Stopper(lambda: context.cancelled)
        writing = QuestionWriting(
            staging,
            request,
            grid(request, self.banks),
            self.authors,
            QuestionGates(self.banks, self.screens),
            on_change=lambda board: context.progress(board.progress()),
            stopped=stopped,
        )
        board = await writing.run(self.authors.teacher.most)
        context.progress(board.progress(), force=True)
        if board.counts().open:
            return Outcome(JobState.CANCELLED, result={"counts": board.counts().model_dump()})
        manifest = await asyncio.to_thread(self._publish, job, request, board)
        logger.info("question set published", extra={"job": job.id, "rows": manifest.rows})
        return outcome(manifest)

    def _publish(
        self, job: Job, request: QuestionSetRequest, board: QuestionBoard
    ) -> QuestionSetManifest:
        """Publish what was written. Raises NothingAcceptedError where all was refused."""
        counts = board.counts()
        if not counts.accepted:
            reasons = ", ".join(f"{name} {n}" for name, n in counts.rejected.items())
            raise NothingAcceptedError(
                f"not one question passed the gates: {reasons}",
                hint="look at the teacher's answers; ask another teacher",
            )
        rows = list(read_written(self.volume.staging(self.volume.question_set(job.id))))
        description = SetDescription(
            source="generated",
            counts=counts,
            heldout_ratio=request.heldout_ratio,
            seed=request.seed,
            request=request.model_dump(mode="json"),
            short_cells=board.short_cells(),
            teacher=self.authors.teacher.model,
        )
        return publish_set(
            self.volume, job.id, list(accepted(rows)), list(refused(rows)), description
        )


def grid(request: QuestionSetRequest, banks: Mapping[Language, Bank]) -> list[Cell]:
    """Return the cells that a request asks for, spread so that any beginning is even.

    Raises InvalidInputError that names the field for an emotion or area that no bank has.
    """
    check(request, banks)
    cells = []
    for language in request.languages:
        bank = banks[language]
        chosen = [
            (one.area.id, one.emotion.id)
            for one in bank.situations
            if one.area.id in (request.areas or [one.area.id])
            and one.emotion.id in (request.emotions or [one.emotion.id])
        ]
        order = spread(chosen, random.Random(f"{request.seed}/{language}"))
        cells += [Cell(language, bank.situation(f"{area}/{emotion}")) for area, emotion in order]
    return cells


def check(request: QuestionSetRequest, banks: Mapping[Language, Bank]) -> None:
    """Raise InvalidInputError where a language cannot give what the request names."""
    for language in request.languages:
        if language not in banks:
            raise InvalidInputError(
                f"languages: there is no bank of {language}",
                field="languages",
                hint=f"banks: {', '.join(sorted(banks))}",
            )
        file = banks[language].file
        emotions, areas = [one.id for one in file.emotions], [one.id for one in file.areas]
        for field, wanted, known in (
            ("emotions", request.emotions, emotions),
            ("areas", request.areas, areas),
        ):
            if unknown := sorted(set(wanted) - set(known)):
                raise InvalidInputError(
                    f"{field}: the bank of {language} has no {', '.join(unknown)}",
                    field=field,
                    hint=f"{language} has: {', '.join(known)}",
                )


def accepted(rows: list[WrittenQuestion]) -> Iterator[SetQuestion]:
    """Yield the questions of the set, numbered within their cell."""
    numbers: dict[str, int] = {}
    for row in rows:
        if row.reason:
            continue
        number = numbers[row.cell] = numbers.get(row.cell, -1) + 1
        language, area, emotion = row.cell.split("/")
        yield SetQuestion.model_validate(
            {
                "id": f"{row.cell.replace('/', '-')}-{number:03d}",
                "text": row.text,
                "language": language,
                "emotion": emotion,
                "area": area,
                "persona": row.persona,
                "teacher": row.teacher,
                "provenance": row.provenance,
            }
        )


def refused(rows: list[WrittenQuestion]) -> Iterator[RejectedQuestion]:
    """Yield what was not taken, with its reason."""
    for row in rows:
        if row.reason:
            yield RejectedQuestion(
                cell=row.cell, text=row.text, reason=row.reason, detail=row.detail
            )


def outcome(manifest: QuestionSetManifest) -> Outcome:
    """Return the final state of a published set."""
    state = JobState.DONE if manifest.status == "complete" else JobState.INCOMPLETE
    result = {"question_set_id": manifest.id, "rows": manifest.rows}
    return Outcome(state, result=result | {"counts": manifest.counts.model_dump()})
