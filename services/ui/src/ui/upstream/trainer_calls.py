"""What the page asks of the trainer. Every call raises ProblemError."""

from urllib.parse import quote

from contracts.advice import Advice, AdviceRequest
from contracts.artefact import BaseModelRef, CurrentModel, ModelManifest
from contracts.export import ExportManifest, ExportRequest
from contracts.gpu import GpuReport
from contracts.job import Job
from contracts.model import Recorded
from contracts.run import RunEvent, RunOutput, RunRecord, RunRequest
from ui.upstream.calls import Calls
from ui.upstream.job_calls import JobCalls

# The engine counts the rows' tokens before the first advice on a dataset.
ADVICE_SECONDS = 120.0
# A start looks up and digests what it names.
ORDER_SECONDS = 10.0
# Folders of models are looked through.
LIST_SECONDS = 4.0


class RecipeChoice(Recorded):
    """A recipe as the trainer lists it; values for a large base outweigh its own there."""

    name: str
    summary: str = ""
    needs: str = ""
    kind: str = "adapter"
    large_base: dict[str, object] = {}
    arguments: dict[str, object] = {}

    @property
    def stage(self) -> str:
        """How it trains: sft, dpo or kto."""
        return str(self.arguments.get("stage", "sft"))


class TrainerCalls:
    """Runs, models and GPUs.

    Args:
        calls: the way to the trainer.
    """

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.jobs = JobCalls(calls, "/runs")
        self.promotions = JobCalls(calls, "/promotions")
        self.exports = JobCalls(calls, "/exports")

    async def current(self) -> CurrentModel:
        """Return what the trainer wants served."""
        return await self.calls.get("/current", CurrentModel)

    async def manifest(self, model_id: str) -> ModelManifest:
        """Return the manifest of a published model."""
        return await self.calls.get(f"/models/{model_id}", ModelManifest)

    async def models(self) -> list[ModelManifest]:
        """Return the manifests of all published models."""
        return await self.calls.get("/models", list[ModelManifest])

    async def recipes(self) -> list[RecipeChoice]:
        """Return what a run can be trained with."""
        return await self.calls.get("/recipes", list[RecipeChoice])

    async def bases(self) -> list[BaseModelRef]:
        """Return the base models that a run can name; their weights are digested once."""
        return await self.calls.get("/bases", list[BaseModelRef], seconds=LIST_SECONDS)

    async def advise(self, request: AdviceRequest) -> Advice:
        """Return how to train on a dataset, and why."""
        return await self.calls.send("POST", "/advice", Advice, request, seconds=ADVICE_SECONDS)

    async def start(self, request: RunRequest, key: str) -> Job:
        """Queue a run; the same key again starts nothing new."""
        return await self.calls.send("POST", "/runs", Job, request, key=key, seconds=ORDER_SECONDS)

    async def runs(self) -> list[RunRecord]:
        """Return what every training run says of itself, the newest first."""
        return await self.calls.get("/runs", list[RunRecord])

    async def log(self, run_id: str) -> list[RunEvent]:
        """Return the events of a run, in the order of its steps."""
        return await self.calls.get(f"/runs/{run_id}/log", list[RunEvent])

    async def output(self, run_id: str) -> RunOutput:
        """Return the end of what a run's engine wrote."""
        return await self.calls.get(f"/runs/{quote(run_id, safe='')}/output", RunOutput)

    async def gpus(self) -> GpuReport:
        """Return every GPU that the trainer has seen."""
        return await self.calls.get("/gpus", GpuReport)

    async def stage(self, model_id: str) -> CurrentModel:
        """Have serving load a model under a version, without an alias."""
        return await self.calls.send(
            "POST", f"{model_path(model_id)}/stage", CurrentModel, seconds=ORDER_SECONDS
        )

    async def promote(self, model_id: str, key: str) -> Job:
        """Prove a model again and let its name answer with it."""
        return await self.calls.send("POST", f"{model_path(model_id)}/promote", Job, key=key)

    async def rollback(self, name: str) -> CurrentModel:
        """Let a name answer with the version before."""
        return await self.calls.send("POST", "/rollback", CurrentModel, {"name": name})

    async def export(self, model_id: str, request: ExportRequest, key: str) -> Job:
        """Make another form of a model."""
        path = f"{model_path(model_id)}/exports"
        return await self.calls.send("POST", path, Job, request, key=key)

    async def exported(self) -> list[ExportManifest]:
        """Return the finished exports."""
        return await self.calls.get("/exports", list[ExportManifest])


def model_path(model_id: str) -> str:
    """Return the path of a model; an id may come from a browser."""
    return f"/models/{quote(model_id, safe='')}"
