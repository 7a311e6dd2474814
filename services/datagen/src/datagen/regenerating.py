"""The job "regeneration": the teacher answers again for rows that a reviewer sends back.

Each new reply is stored as soon as it has passed the gates, as a step of its own, so a killed job
goes on with the rows that are still missing. A row that gets one is open again: a person looks.
"""

import asyncio
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from contracts.job import Job, JobState, Progress
from contracts.review import ReviewRegeneration
from contracts.sample import Sample
from contracts.style import Style
from datagen.asking import RefusedError
from datagen.generate import first_error
from datagen.prompts import Prompts, teacher_messages
from datagen.regating import refusal_of
from datagen.review import ReviewDesk, edited_fields
from datagen.review_rows import Sheet
from datagen.review_store import Row
from datagen.routing import safe_answer
from datagen.teachers import Asked
from kit.errors import ConflictError, TonesmithError
from kit.worker import JobContext, Outcome

KIND = "regeneration"
# Rows whose replies are stored together, as one step.
GROUP = 64


@dataclass
class Tally:
    """How the rows ended: asked = changed + refused by reason + conflict."""

    changed: int = 0
    refused: dict[str, int] = field(default_factory=dict)

    def refuse(self, reason: str) -> None:
        """Count a row that keeps its reply."""
        self.refused[reason] = self.refused.get(reason, 0) + 1

    @property
    def done(self) -> int:
        """Rows that are through."""
        return self.changed + sum(self.refused.values())


@dataclass(frozen=True)
class RegenerationHandler:
    """Runs regenerations for `kit.worker.Worker`."""

    desk: ReviewDesk
    prompts: Prompts
    teacher: Asked

    async def __call__(self, job: Job, context: JobContext) -> Outcome:
        """Ask for every row once more. Raises TonesmithError."""
        change = ReviewRegeneration.model_validate(job.request["change"])
        dataset = str(job.request["dataset_id"])
        sheet, rows = await asyncio.to_thread(self._waiting, dataset, change)
        tally = Tally()
        for at in range(0, len(rows), GROUP):
            if context.cancelled:
                return Outcome(JobState.CANCELLED, result=result(tally))
            await self._group(job.id, sheet, rows[at : at + GROUP], change, tally)
            context.progress(Progress(stage="ask", done=tally.done, total=len(rows)), force=True)
        return Outcome(JobState.DONE, result=result(tally))

    def _waiting(self, dataset: str, change: ReviewRegeneration) -> tuple[Sheet, list[Row]]:
        """Return the rows that still want a reply: those that nobody changed since."""
        sheet = self.desk.sheet(dataset)
        rows = self.desk.store.matching(self.desk.head(dataset), change.filter)
        untouched = [row for row in rows if row["revision"] <= change.revision]
        return sheet, untouched

    async def _group(
        self,
        job_id: str,
        sheet: Sheet,
        rows: Sequence[Row],
        change: ReviewRegeneration,
        tally: Tally,
    ) -> None:
        """Ask for some rows at once, and store what passed as one step, also where one fails."""
        texts = await asyncio.to_thread(sheet.samples, rows)
        tasks: list[asyncio.Task[tuple[str, str]]] = []
        failure: Exception | None = None
        try:
            async with asyncio.TaskGroup() as group:
                for row, (sample, _) in zip(rows, texts, strict=True):
                    asked = self._reply(job_id, sheet, row, sample, change.attempts)
                    tasks.append(group.create_task(asked))
        except* TonesmithError as errors:
            failure = first_error(errors)
        fresh: list[dict[str, Any]] = []
        for task, row, (sample, _) in zip(tasks, rows, texts, strict=True):
            if task.cancelled() or task.exception():
                continue
            reply, reason = task.result()
            if reason:
                tally.refuse(reason)
                continue
            fields = edited_fields(row, sample, reply, "teacher")
            fresh.append(fields | {"decision": "open"})
        await asyncio.to_thread(self._store, sheet.manifest.id, change.revision, fresh, tally)
        if failure:
            raise failure

    def _store(self, dataset: str, seen: int, fresh: list[dict[str, Any]], tally: Tally) -> None:
        """Store the group; where a person was faster for one of its rows, row by row."""
        head = self.desk.head(dataset)
        try:
            tally.changed += self.desk.store.rewrite(head, seen, "regenerate", fresh)
        except ConflictError:
            if len(fresh) == 1:
                tally.refuse("changed_meanwhile")
                return
            for fields in fresh:
                self._store(dataset, seen, [fields], tally)

    async def _reply(
        self, job_id: str, sheet: Sheet, row: Row, sample: Sample, attempts: int
    ) -> tuple[str, str]:
        """Return a reply that passes the gates, or why there is none (the last try's reason)."""
        style = sheet.styles.get(row["style"])
        if style is None or not sample.question:
            return "", "unknown_style"
        said = [*(turn.user for turn in sample.history), sample.question]
        if safe_answer(self.desk.screens, style.language, said):
            return "", "crisis"  # its safe reply stays, and no teacher is asked for another
        reason = "malformed"
        current = sample.reply if row["reply"] is None else row["reply"]
        for attempt in range(attempts):
            seed = retry_seed(job_id, sample.id, attempt)
            try:
                reply = await self._ask(style, sample, seed)
            except RefusedError:
                reason = "malformed"
                continue
            refusal = refusal_of(style, sample, reply, self.desk.screens)
            if refusal is None and reply != current:
                return reply, ""
            reason = refusal.reason.value if refusal else "duplicate"
        return "", reason

    async def _ask(self, style: Style, sample: Sample, seed: int) -> str:
        messages = teacher_messages(self.prompts.system(style), sample.history, sample.question)
        answer = await self.teacher.ask(messages, temperature=style.temperature, seed=seed)
        return answer.text


def retry_seed(job_id: str, row_id: str, attempt: int) -> int:
    """Return the seed of one request, 31 bits: another for each job, row and try."""
    return zlib.crc32(f"{job_id}/{row_id}/{attempt}".encode()) & 0x7FFFFFFF


def result(tally: Tally) -> dict[str, Any]:
    """Return what the job says at its end."""
    return {"changed": tally.changed, "refused": dict(sorted(tally.refused.items()))}
