"""trainer: recipes, advice, runs, models, their promotion and their export."""

from pathlib import Path

from client.jobs import Jobs
from client.service import Service
from contracts.advice import Advice, AdviceRequest
from contracts.artefact import BaseModelRef, CurrentModel, ModelManifest
from contracts.export import ExportRequest, Form
from contracts.gpu import GpuReport
from contracts.job import Job
from contracts.run import RunEvent, RunOutput, RunRecord, RunRequest

# The lengths of a large dataset are measured before the answer, by the engine's own tokenizer.
ADVICE_SECONDS = 300.0
# A disk may be slow to find the first bytes of an archive of some gigabytes.
ARCHIVE_QUIET_SECONDS = 120.0

# What every published model brings along; made by a job, they are fit to leave this machine.
OWN_FORMS: frozenset[Form] = frozenset({"adapter", "merged"})


class TrainerClient(Service):
    """Client of trainer; its constructor is `Service`'s."""

    def bases(self) -> list[BaseModelRef]:
        """Return the base models that a run can name."""
        return self.get("/bases", list[BaseModelRef])

    def recipes(self) -> list[dict[str, object]]:
        """Return the recipes that a run can name."""
        return self.get("/recipes", list[dict[str, object]])

    def advise(self, request: AdviceRequest) -> Advice:
        """Return the recipe and the values that fit a dataset, a base and a card, with reasons."""
        body = request.model_dump(mode="json")
        return self.send("POST", "/advice", Advice, json=body, timeout=ADVICE_SECONDS)

    @property
    def run_jobs(self) -> Jobs:
        """The training jobs."""
        return Jobs(self, "/runs")

    def train(self, request: RunRequest, *, key: str | None = None) -> Job:
        """Start a run; the job's id is the run's, its result holds `model_id`."""
        return self.post("/runs", Job, request.model_dump(mode="json"), key=key)

    def runs(self) -> list[RunRecord]:
        """Return what every run says of itself."""
        return self.get("/runs", list[RunRecord])

    def run(self, run_id: str) -> RunRecord:
        """Return what a run says of itself."""
        return self.get(f"/runs/{run_id}", RunRecord)

    def run_log(self, run_id: str) -> list[RunEvent]:
        """Return the events of a run, in the order of its steps."""
        return self.get(f"/runs/{run_id}/log", list[RunEvent])

    def run_output(self, run_id: str, start: int | None = None) -> RunOutput:
        """Return the end of what a run's engine wrote, or a piece of it from a byte on."""
        params = {} if start is None else {"from": start}
        return self.get(f"/runs/{run_id}/output", RunOutput, **params)

    def gpus(self) -> GpuReport:
        """Return every GPU that the trainer has seen, as last read; none on a CPU host."""
        return self.get("/gpus", GpuReport)

    def models(self) -> list[ModelManifest]:
        """Return the published models."""
        return self.get("/models", list[ModelManifest])

    def model(self, model_id: str) -> ModelManifest:
        """Return the manifest of a published model."""
        return self.get(f"/models/{model_id}", ModelManifest)

    def current(self) -> CurrentModel:
        """Return what serving must serve."""
        return self.get("/current", CurrentModel)

    def stage(self, model_id: str) -> CurrentModel:
        """Have serving load the model under a version, without an alias."""
        return self.post(f"/models/{model_id}/stage", CurrentModel)

    @property
    def promotion_jobs(self) -> Jobs:
        """The promotion jobs."""
        return Jobs(self, "/promotions")

    def promote(self, model_id: str, *, key: str | None = None) -> Job:
        """Start a promotion; the job's result holds `name`, `version` and `served_name`."""
        return self.post(f"/models/{model_id}/promote", Job, key=key)

    def rollback(self, name: str) -> CurrentModel:
        """Let the alias `name` answer with the version before."""
        return self.post("/rollback", CurrentModel, {"name": name})

    @property
    def export_jobs(self) -> Jobs:
        """The export jobs."""
        return Jobs(self, "/exports")

    def export(self, model_id: str, request: ExportRequest, *, key: str | None = None) -> Job:
        """Start to make another form of a model; the job's result holds `export_id`."""
        body = request.model_dump(mode="json")
        return self.post(f"/models/{model_id}/exports", Job, body, key=key)

    def archive(self, artefact_id: str, form: Form, to: Path) -> int:
        """Save a model in one form as the tar file `to`; return its size in bytes.

        The file is written piece by piece, whatever its size; `client.archive` unpacks it.

        Args:
            artefact_id: of the model for the forms `adapter` and `merged`, which it has as serving
                reads them; of the export for the others.
            form: which one.
            to: gets its name once it is whole.

        Raises:
            ServiceError: there is no such form of it.
            ServiceDownError: nobody answers, or the stream broke.
            OSError: the file cannot be written.
        """
        if form not in OWN_FORMS:
            return self.export_archive(artefact_id, to)
        path = f"/models/{artefact_id}/archive"
        return self.download(path, to, quiet_seconds=ARCHIVE_QUIET_SECONDS, form=form)

    def export_archive(self, export_id: str, to: Path) -> int:
        """Save an export of any form as the tar file `to`, as `archive` does."""
        path = f"/exports/{export_id}/archive"
        return self.download(path, to, quiet_seconds=ARCHIVE_QUIET_SECONDS)
