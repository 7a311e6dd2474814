"""Training runs: what is asked of the trainer, and what a run's folder says of itself."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from contracts.errors import ErrorBody
from contracts.job import JobState
from contracts.model import Authored, Name, Recorded, Versioned


class Overrides(Authored):
    """The recipe's values that a request may change; all else is the recipe's own."""

    max_steps: int | None = Field(default=None, ge=1, le=1_000_000)
    num_train_epochs: float | None = Field(default=None, gt=0, le=1000)
    learning_rate: float | None = Field(default=None, gt=0, lt=1)
    per_device_train_batch_size: int | None = Field(default=None, ge=1, le=4096)
    gradient_accumulation_steps: int | None = Field(default=None, ge=1, le=4096)
    lora_rank: int | None = Field(default=None, ge=1, le=256)
    lora_alpha: int | None = Field(default=None, ge=1, le=1024)
    cutoff_len: int | None = Field(default=None, ge=16, le=131_072)
    save_steps: int | None = Field(default=None, ge=1)
    eval_steps: int | None = Field(default=None, ge=1)
    seed: int | None = Field(default=None, ge=0)


class RunRequest(Authored):
    """Body of `POST /runs`."""

    name: Name = Field(default="tonesmith", description="served name of the model that comes out")
    dataset_id: Name
    base_model: str = Field(default="starter", max_length=200)
    recipe: Name = "lora"
    overrides: Overrides = Overrides()


class EngineVersions(Recorded):
    """Versions as the engine itself reports them."""

    llamafactory: str = ""
    vllm: str = ""
    torch: str = ""
    transformers: str = ""


class RunEvent(Recorded):
    """A line of `events.jsonl`, in the order of the steps."""

    at: datetime
    kind: Literal["start", "log", "eval", "save", "end"]
    step: int
    figures: dict[str, float] = {}
    detail: str = ""


class RunRecord(Versioned):
    """`runs/<id>/run.json`: the state of a run, rewritten as it goes on."""

    id: Name
    state: JobState
    request: RunRequest
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    step: int = 0
    max_steps: int = 0
    loss: float | None = None
    eval_loss: float | None = None
    resumed_from: list[int] = Field(default=[], description="steps of the checkpoints resumed from")
    engine: EngineVersions = EngineVersions()
    model_id: Name | None = None
    error: ErrorBody | None = None
