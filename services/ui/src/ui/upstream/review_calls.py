"""What the page asks of datagen about the rows of a dataset. Every call raises ProblemError."""

from urllib.parse import quote

from pydantic import BaseModel

from contracts.dataset import DatasetManifest
from contracts.job import Job
from contracts.quality import Coverage, Explanation, Preview, ReportCard, Thresholds
from contracts.review import (
    Review,
    ReviewChange,
    ReviewEdit,
    ReviewPage,
    ReviewPublication,
    ReviewQuery,
    ReviewRegeneration,
    ReviewResult,
    ReviewRow,
    ReviewStep,
    ReviewUndo,
)
from contracts.versions import Change, DatasetDiff, DatasetVersion, Rollback
from ui.upstream.calls import Answer, Calls
from ui.upstream.job_calls import JobCalls

# A page of 50,000 rows takes 0.1 s; a change of all of them, with its undo kept, about two.
READ_SECONDS, CHANGE_SECONDS = 5.0, 20.0
# The first look at a dataset judges or measures each of its rows.
MEASURE_SECONDS = 60.0
# Two datasets are read whole for their difference; a version is copied.
COPY_SECONDS = 30.0
DIFF_ROWS = 30
STEPS_SHOWN = 60


class ReviewCalls:
    """Reviews, coverage, quality and versions.

    Args:
        calls: the way to datagen.
    """

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.jobs = JobCalls(calls, "/reviews")

    async def open(self, dataset: str) -> Review:
        """Open a review, or return the one that is open."""
        path = f"{path_of(dataset)}/review"
        return await self.calls.send("POST", path, Review, seconds=MEASURE_SECONDS)

    async def show(self, dataset: str) -> Review:
        """Return a review with its counts."""
        path = f"{path_of(dataset)}/review"
        return await self.calls.get(path, Review, seconds=READ_SECONDS)

    async def rows(self, dataset: str, query: ReviewQuery) -> ReviewPage:
        """Return one page of the rows that match."""
        path = f"{path_of(dataset)}/review/rows"
        wanted = query.model_dump(mode="json", exclude_none=True)
        return await self.calls.get(path, ReviewPage, seconds=READ_SECONDS, **wanted)

    async def row(self, dataset: str, number: int) -> ReviewRow:
        """Return one row."""
        path = f"{path_of(dataset)}/review/rows/{number}"
        return await self.calls.get(path, ReviewRow, seconds=READ_SECONDS)

    async def steps(self, dataset: str) -> list[ReviewStep]:
        """Return the history, the newest first."""
        path = f"{path_of(dataset)}/review/steps"
        return await self.calls.get(path, list[ReviewStep], seconds=READ_SECONDS, limit=STEPS_SHOWN)

    async def decide(self, dataset: str, change: ReviewChange) -> ReviewResult:
        """Accept, reject or reopen all rows that match, as one step."""
        return await self._post(dataset, "decisions", ReviewResult, change)

    async def edit(self, dataset: str, number: int, change: ReviewEdit) -> ReviewResult:
        """Give a row another reply."""
        path = f"{path_of(dataset)}/review/rows/{number}"
        return await self.calls.send("PUT", path, ReviewResult, change, seconds=CHANGE_SECONDS)

    async def undo(self, dataset: str, change: ReviewUndo) -> ReviewResult:
        """Take the newest steps back."""
        return await self._post(dataset, "undo", ReviewResult, change)

    async def regenerate(self, dataset: str, change: ReviewRegeneration, key: str) -> Job:
        """Ask the teacher for another reply to all rows that match."""
        return await self._post(dataset, "regenerations", Job, change, key)

    async def publish(self, dataset: str, request: ReviewPublication) -> DatasetManifest:
        """Make the next version."""
        path = f"{path_of(dataset)}/review/publish"
        return await self.calls.send(
            "POST", path, DatasetManifest, request, seconds=MEASURE_SECONDS
        )

    async def coverage(self, dataset: str) -> Coverage:
        """Return how many rows each style has in each situation."""
        path = f"{path_of(dataset)}/coverage"
        return await self.calls.get(path, Coverage, seconds=COPY_SECONDS)

    async def report_card(self, dataset: str) -> ReportCard:
        """Return the report card; the first look measures each row."""
        path = f"{path_of(dataset)}/report-card"
        return await self.calls.get(path, ReportCard, seconds=MEASURE_SECONDS)

    async def preview(self, dataset: str, limits: Thresholds) -> Preview:
        """Return what other thresholds would change; nothing is changed."""
        path = f"{path_of(dataset)}/preview"
        return await self.calls.send("POST", path, Preview, limits, seconds=MEASURE_SECONDS)

    async def explanation(self, dataset: str, row: str) -> Explanation:
        """Return what every gate says of one row."""
        path = f"{path_of(dataset)}/explanation"
        return await self.calls.get(path, Explanation, seconds=MEASURE_SECONDS, row=row)

    async def versions(self, dataset: str) -> list[DatasetVersion]:
        """Return every version of the dataset's family, the oldest first."""
        path = f"{path_of(dataset)}/versions"
        return await self.calls.get(path, list[DatasetVersion], seconds=READ_SECONDS)

    async def diff(
        self, before: str, after: str, change: Change | None = None, offset: int = 0
    ) -> DatasetDiff:
        """Return what differs between two datasets, some rows of it."""
        asked = {"to": after, "change": change, "offset": offset, "limit": DIFF_ROWS}
        path = f"{path_of(before)}/diff"
        return await self.calls.get(path, DatasetDiff, seconds=COPY_SECONDS, **asked)

    async def roll_back(self, dataset: str, older: str) -> DatasetManifest:
        """Publish the content of an older version once more, as the newest."""
        path = f"{path_of(dataset)}/rollback"
        request = Rollback(to=older)
        return await self.calls.send("POST", path, DatasetManifest, request, seconds=COPY_SECONDS)

    async def _post(
        self, dataset: str, what: str, kind: type[Answer], body: BaseModel, key: str = ""
    ) -> Answer:
        path = f"{path_of(dataset)}/review/{what}"
        return await self.calls.send("POST", path, kind, body, key=key, seconds=CHANGE_SECONDS)


def path_of(dataset: str) -> str:
    """Return the path of a dataset; an id may come from a browser."""
    return f"/datasets/{quote(dataset, safe='')}"
