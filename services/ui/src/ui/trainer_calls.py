"""What the page asks of the trainer. Every call raises ProblemError."""

from contracts.artefact import CurrentModel, ModelManifest
from contracts.gpu import GpuReport
from contracts.run import RunEvent, RunRecord
from ui.calls import Calls
from ui.job_calls import JobCalls


class TrainerCalls:
    """Runs, models and GPUs.

    Args:
        calls: the way to the trainer.
    """

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.jobs = JobCalls(calls, "/runs")

    async def current(self) -> CurrentModel:
        """Return what the trainer wants served."""
        return await self.calls.get("/current", CurrentModel)

    async def manifest(self, model_id: str) -> ModelManifest:
        """Return the manifest of a published model."""
        return await self.calls.get(f"/models/{model_id}", ModelManifest)

    async def runs(self) -> list[RunRecord]:
        """Return what every training run says of itself, the newest first."""
        return await self.calls.get("/runs", list[RunRecord])

    async def log(self, run_id: str) -> list[RunEvent]:
        """Return the events of a run, in the order of its steps."""
        return await self.calls.get(f"/runs/{run_id}/log", list[RunEvent])

    async def gpus(self) -> GpuReport:
        """Return every GPU that the trainer has seen."""
        return await self.calls.get("/gpus", GpuReport)
