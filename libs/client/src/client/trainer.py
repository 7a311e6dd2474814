"""trainer: recipes, runs, models and their promotion."""

from client.jobs import Jobs
from client.service import Service
from contracts.artefact import BaseModelRef, CurrentModel, ModelManifest
from contracts.job import Job
from contracts.run import RunEvent, RunRecord, RunRequest


class TrainerClient(Service):
    """Client of trainer; its constructor is `Service`'s."""

    def bases(self) -> list[BaseModelRef]:
        """Return the base models that a run can name."""
        return self.get("/bases", list[BaseModelRef])

    def recipes(self) -> list[dict[str, object]]:
        """Return the recipes that a run can name."""
        return self.get("/recipes", list[dict[str, object]])

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
