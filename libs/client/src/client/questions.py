"""Question sets: let the teacher write one, bring one, look at them."""

from pathlib import Path
from typing import TypeVar

from client.jobs import Jobs
from client.service import Service
from contracts.dataset import ImportPreview
from contracts.job import Job
from contracts.question_set import (
    QuestionImport,
    QuestionSetManifest,
    QuestionSetRequest,
    RejectedQuestion,
    SetQuestion,
)

Answer = TypeVar("Answer")
# Gating a whole file of questions takes longer than an intent.
IMPORT_SECONDS = 300.0


class QuestionSets:
    """The question sets of datagen.

    Args:
        service: datagen.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    @property
    def jobs(self) -> Jobs:
        """The jobs that write them."""
        return Jobs(self._service, "/questions")

    def write(self, request: QuestionSetRequest, *, key: str | None = None) -> Job:
        """Let the teacher write a set; the job's id is the set's."""
        return self._service.post("/questions", Job, request.model_dump(mode="json"), key=key)

    def preview_file(self, path: Path, options: QuestionImport) -> ImportPreview:
        """Return how the file at `path` would be read; nothing is kept."""
        return self._send_file("/questions/import-preview", ImportPreview, path, options)

    def import_file(self, path: Path, options: QuestionImport) -> QuestionSetManifest:
        """Send the questions in the file at `path`; publishes a set."""
        return self._send_file("/questions/import", QuestionSetManifest, path, options)

    def _send_file(
        self, route: str, kind: type[Answer], path: Path, options: QuestionImport
    ) -> Answer:
        return self._service.send(
            "POST",
            route,
            kind,
            params=options.model_dump(mode="json"),
            content=path.read_bytes(),
            timeout=IMPORT_SECONDS,
        )

    def all(self) -> list[QuestionSetManifest]:
        """Return the published sets, newest first."""
        return self._service.get("/questions", list[QuestionSetManifest])

    def get(self, set_id: str) -> QuestionSetManifest:
        """Return the manifest of a set."""
        return self._service.get(f"/questions/{set_id}", QuestionSetManifest)

    def questions(self, set_id: str, *, offset: int = 0, limit: int = 100) -> list[SetQuestion]:
        """Return questions of a set."""
        path = f"/questions/{set_id}/rows"
        return self._service.get(path, list[SetQuestion], offset=offset, limit=limit)

    def rejected(self, set_id: str, *, offset: int = 0, limit: int = 100) -> list[RejectedQuestion]:
        """Return what was refused for a set, each with its reason."""
        path = f"/questions/{set_id}/rows"
        return self._service.get(
            path, list[RejectedQuestion], state="rejected", offset=offset, limit=limit
        )
