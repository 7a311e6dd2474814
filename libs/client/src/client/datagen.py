"""datagen: styles, datasets, imports and evaluations."""

from pathlib import Path

from client.feedback import Votes
from client.jobs import Jobs
from client.quality import Quality
from client.questions import QuestionSets
from client.reviews import Reviews
from client.service import Service
from client.studio import Studio
from client.versions import Versions
from contracts.dataset import (
    DatasetManifest,
    DatasetRequest,
    ImportPreview,
    ImportRequest,
    ImportResult,
)
from contracts.estimate import CostEstimate
from contracts.evaluation import EvaluationReport, EvaluationRequest, Reply
from contracts.job import Job
from contracts.quality import Coverage
from contracts.sample import Rejected, Sample
from contracts.style import StyleVersion

# Gating a whole file of rows takes longer than an intent.
IMPORT_SECONDS = 300.0
# A few calls of a slow teacher, some of them asked again.
ESTIMATE_SECONDS = 300.0
# The most rows that one answer holds.
PAGE = 1000


class DatagenClient(Service):
    """Client of datagen; its constructor is `Service`'s."""

    def styles(self) -> list[StyleVersion]:
        """Return the newest version of every style."""
        return self.get("/styles", list[StyleVersion])

    def style(self, style_id: str) -> StyleVersion:
        """Return the newest version of a style."""
        return self.get(f"/styles/{style_id}", StyleVersion)

    def style_versions(self, style_id: str) -> list[StyleVersion]:
        """Return every version of a style."""
        return self.get(f"/styles/{style_id}/versions", list[StyleVersion])

    def put_style(self, style_id: str, card: bytes) -> StyleVersion:
        """Store a card (YAML or JSON as its author wrote it); a changed one is a new version."""
        headers = {"Content-Type": "application/yaml"}
        return self.send("PUT", f"/styles/{style_id}", StyleVersion, content=card, headers=headers)

    @property
    def dataset_jobs(self) -> Jobs:
        """The generation jobs."""
        return Jobs(self, "/datasets")

    def generate(self, request: DatasetRequest, *, key: str | None = None) -> Job:
        """Start generating a dataset; the job's id is the dataset's."""
        return self.post("/datasets", Job, request.model_dump(mode="json"), key=key)

    def estimate(self, request: DatasetRequest, *, calls: int = 6) -> CostEstimate:
        """Return what generating `request` would take; `calls` real ones are made, and paid."""
        return self.send(
            "POST",
            "/datasets/estimate",
            CostEstimate,
            json=request.model_dump(mode="json"),
            params={"calls": calls},
            timeout=ESTIMATE_SECONDS,
        )

    def datasets(self) -> list[DatasetManifest]:
        """Return the manifests of the published datasets."""
        return self.get("/datasets", list[DatasetManifest])

    def dataset(self, dataset_id: str) -> DatasetManifest:
        """Return the manifest of a published dataset."""
        return self.get(f"/datasets/{dataset_id}", DatasetManifest)

    def samples(
        self, dataset_id: str, *, style: str | None = None, offset: int = 0, limit: int = 50
    ) -> list[Sample]:
        """Return accepted rows of a dataset."""
        path = f"/datasets/{dataset_id}/samples"
        return self.get(
            path, list[Sample], state="accepted", style=style, offset=offset, limit=limit
        )

    def rejected(
        self, dataset_id: str, *, style: str | None = None, offset: int = 0, limit: int = 50
    ) -> list[Rejected]:
        """Return rejected rows of a dataset, each with its reason."""
        path = f"/datasets/{dataset_id}/samples"
        return self.get(
            path, list[Rejected], state="rejected", style=style, offset=offset, limit=limit
        )

    def preview_file(self, path: Path) -> ImportPreview:
        """Return how the rows in the file at `path` would be read; nothing is kept."""
        return self.send(
            "POST",
            "/datasets/import-preview",
            ImportPreview,
            content=path.read_bytes(),
            timeout=IMPORT_SECONDS,
        )

    def import_file(self, path: Path, request: ImportRequest) -> ImportResult:
        """Send the rows in the file at `path`; publishes a dataset."""
        return self.send(
            "POST",
            "/datasets/import",
            ImportResult,
            params=request.model_dump(mode="json"),
            content=path.read_bytes(),
            timeout=IMPORT_SECONDS,
        )

    def quality(self, dataset_id: str) -> Quality:
        """Return what the gates have against a dataset."""
        return Quality(self, dataset_id)

    @property
    def questions(self) -> QuestionSets:
        """The question sets."""
        return QuestionSets(self)

    def coverage(self, dataset_id: str) -> Coverage:
        """Return how a dataset's rows are spread over styles, emotions and areas."""
        return self.get(f"/datasets/{dataset_id}/coverage", Coverage)

    def review(self, dataset_id: str) -> Reviews:
        """Return the review of a dataset; `open` starts it."""
        return Reviews(self, dataset_id)

    def versions(self, dataset_id: str) -> Versions:
        """Return the versions of a dataset."""
        return Versions(self, dataset_id)

    @property
    def votes(self) -> Votes:
        """The votes, and the preference pairs made of them."""
        return Votes(self)

    @property
    def studio(self) -> Studio:
        """Previews, confusion between styles, and cards from elsewhere."""
        return Studio(self)

    @property
    def evaluation_jobs(self) -> Jobs:
        """The evaluation jobs."""
        return Jobs(self, "/evaluations")

    def evaluate(self, request: EvaluationRequest, *, key: str | None = None) -> Job:
        """Start an evaluation; the job's id is the evaluation's."""
        return self.post("/evaluations", Job, request.model_dump(mode="json"), key=key)

    def evaluations(self) -> list[EvaluationReport]:
        """Return the published reports."""
        return self.get("/evaluations", list[EvaluationReport])

    def evaluation(self, evaluation_id: str) -> EvaluationReport:
        """Return a published report."""
        return self.get(f"/evaluations/{evaluation_id}", EvaluationReport)

    def replies(self, evaluation_id: str) -> list[Reply]:
        """Return every reply of an evaluation, in its order."""
        path, found = f"/evaluations/{evaluation_id}/replies", list[Reply]()
        while page := self.get(path, list[Reply], offset=len(found), limit=PAGE):
            found += page
            if len(page) < PAGE:
                break
        return found

    def report_url(self, evaluation_id: str) -> str:
        """Return the address of the report's page."""
        return f"{self.url}{self._report_path(evaluation_id)}"

    def report(self, evaluation_id: str) -> str:
        """Return the report's page."""
        return self.text(self._report_path(evaluation_id))

    def _report_path(self, evaluation_id: str) -> str:
        return f"/evaluations/{evaluation_id}/report.html"
