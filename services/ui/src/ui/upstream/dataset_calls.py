"""What the page asks of datagen about datasets. Every call raises ProblemError."""

from urllib.parse import quote

from contracts.dataset import (
    DatasetManifest,
    DatasetRequest,
    ImportPreview,
    ImportRequest,
    ImportResult,
)
from contracts.estimate import CostEstimate
from contracts.job import Job
from contracts.question_set import QuestionImport, QuestionSetManifest
from contracts.sample import Rejected
from ui.upstream.calls import Calls
from ui.upstream.job_calls import JobCalls

# Every manifest of the volume is read for it.
LIST_SECONDS = 4.0
START_SECONDS = 5.0
# The teacher answers a few questions first, and every gate looks at every row.
ESTIMATE_SECONDS, IMPORT_SECONDS = 90.0, 60.0


class DatasetCalls:
    """Datasets, and the jobs that make them.

    Args:
        calls: the way to datagen.
    """

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.jobs = JobCalls(calls, "/datasets")

    async def published(self) -> list[DatasetManifest]:
        """Return the datasets that there are, the newest first."""
        return await self.calls.get("/datasets", list[DatasetManifest], seconds=LIST_SECONDS)

    async def start(self, request: DatasetRequest, key: str) -> Job:
        """Start a generation; asked twice with one key, it is one job."""
        return await self.calls.send(
            "POST", "/datasets", Job, request, key=key, seconds=START_SECONDS
        )

    async def estimate(self, request: DatasetRequest) -> CostEstimate:
        """Return what a generation would take; the teacher is asked a few times for it."""
        return await self.calls.send(
            "POST", "/datasets/estimate", CostEstimate, request, seconds=ESTIMATE_SECONDS
        )

    async def refused(self, dataset_id: str, offset: int, limit: int) -> list[Rejected]:
        """Return rows that the gates refused, the oldest first; also while they are generated."""
        path = f"/datasets/{quote(dataset_id, safe='')}/samples"
        query = {"state": "rejected", "offset": offset, "limit": limit}
        return await self.calls.get(path, list[Rejected], seconds=LIST_SECONDS, **query)

    async def question_sets(self) -> list[QuestionSetManifest]:
        """Return the question sets that there are, the newest first."""
        return await self.calls.get("/questions", list[QuestionSetManifest], seconds=LIST_SECONDS)

    async def preview_rows(self, content: bytes) -> ImportPreview:
        """Return what an import of rows would do; nothing is written."""
        return await self.calls.send(
            "POST", "/datasets/import-preview", ImportPreview, content, seconds=IMPORT_SECONDS
        )

    async def import_rows(self, content: bytes, options: ImportRequest) -> ImportResult:
        """Import rows as a dataset: all that can be kept, or nothing."""
        return await self.calls.send(
            "POST",
            "/datasets/import",
            ImportResult,
            content,
            seconds=IMPORT_SECONDS,
            **options.model_dump(mode="json"),
        )

    async def preview_questions(self, content: bytes, options: QuestionImport) -> ImportPreview:
        """Return what an import of questions would do; nothing is written."""
        return await self.calls.send(
            "POST",
            "/questions/import-preview",
            ImportPreview,
            content,
            seconds=IMPORT_SECONDS,
            **options.model_dump(mode="json"),
        )

    async def import_questions(
        self, content: bytes, options: QuestionImport
    ) -> QuestionSetManifest:
        """Import questions as a set: all that can be kept, or nothing."""
        return await self.calls.send(
            "POST",
            "/questions/import",
            QuestionSetManifest,
            content,
            seconds=IMPORT_SECONDS,
            **options.model_dump(mode="json"),
        )
