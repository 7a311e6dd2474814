"""The review of one dataset: rows, decisions, edits, undo, and the next version."""

from collections.abc import Iterator

from pydantic import BaseModel

from client.jobs import Jobs
from client.service import Answer, Service
from contracts.dataset import DatasetManifest
from contracts.job import Job
from contracts.review import (
    Review,
    ReviewChange,
    ReviewEdit,
    ReviewPage,
    ReviewPublication,
    ReviewQuery,
    ReviewRegeneration,
    ReviewReplacement,
    ReviewResult,
    ReviewRow,
    ReviewStep,
    ReviewUndo,
)

# Judging or publishing 50,000 rows takes longer than an intent.
LONG_SECONDS = 300.0


class Reviews:
    """The review of a dataset.

    Args:
        service: datagen.
        dataset_id: of a published dataset.
    """

    def __init__(self, service: Service, dataset_id: str) -> None:
        self._service = service
        self._path = f"/datasets/{dataset_id}/review"

    def open(self) -> Review:
        """Open the review, or return the one that is open; the first time judges every row."""
        return self._service.send("POST", self._path, Review, timeout=LONG_SECONDS)

    def show(self) -> Review:
        """Return the review with its counts. Raises ServiceError (404) before `open`."""
        return self._service.get(self._path, Review)

    def rows(self, query: ReviewQuery | None = None) -> ReviewPage:
        """Return one page of the rows that match, the most uncertain first."""
        wanted = (query or ReviewQuery()).model_dump(mode="json", exclude_defaults=True)
        return self._service.get(f"{self._path}/rows", ReviewPage, **wanted)

    def every_row(self, query: ReviewQuery | None = None) -> Iterator[ReviewRow]:
        """Yield all rows that match, page by page."""
        query = query or ReviewQuery()
        offset = query.offset
        while page := self.rows(query.model_copy(update={"offset": offset})).rows:
            yield from page
            offset += len(page)

    def row(self, number: int) -> ReviewRow:
        """Return one row."""
        return self._service.get(f"{self._path}/rows/{number}", ReviewRow)

    def decide(self, change: ReviewChange) -> ReviewResult:
        """Accept, reject, reopen or annotate all rows that match. Raises ServiceError (409)."""
        return self._post("decisions", ReviewResult, change)

    def edit(self, number: int, change: ReviewEdit) -> ReviewResult:
        """Give a row another reply. Raises ServiceError (409, `gate_refused`)."""
        path = f"{self._path}/rows/{number}"
        return self._service.send("PUT", path, ReviewResult, json=change.model_dump(mode="json"))

    def replace(self, change: ReviewReplacement) -> ReviewResult:
        """Replace a text in all replies that match."""
        return self._post("replacements", ReviewResult, change)

    def undo(self, revision: int, steps: int = 1) -> ReviewResult:
        """Take the newest steps back. Raises ServiceError (409) where the review went on."""
        return self._post("undo", ReviewResult, ReviewUndo(revision=revision, steps=steps))

    def steps(self, *, offset: int = 0, limit: int = 100) -> list[ReviewStep]:
        """Return the history, newest first."""
        path = f"{self._path}/steps"
        return self._service.get(path, list[ReviewStep], offset=offset, limit=limit)

    def regenerate(self, change: ReviewRegeneration) -> Job:
        """Ask the teacher again for all rows that match; see `jobs`."""
        return self._post("regenerations", Job, change)

    @property
    def jobs(self) -> Jobs:
        """The regenerations of all datasets."""
        return Jobs(self._service, "/reviews")

    def publish(self, request: ReviewPublication) -> DatasetManifest:
        """Publish the next version and return its manifest."""
        return self._post("publish", DatasetManifest, request)

    def _post(self, path: str, answer: type[Answer], body: BaseModel) -> Answer:
        return self._service.send(
            "POST",
            f"{self._path}/{path}",
            answer,
            json=body.model_dump(mode="json"),
            timeout=LONG_SECONDS,
        )
