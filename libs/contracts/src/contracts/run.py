"""Training runs: what is asked of the trainer, and what a run's folder says of itself."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from contracts.errors import ErrorBody
from contracts.job import JobState
from contracts.model import Authored, Name, Recorded, Versioned

Batching = Literal["packed", "grouped", "plain"]


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
    batching: Batching | None = Field(
        default=None, description="how rows share a batch; unset: chosen from their lengths"
    )


class RunRequest(Authored):
    """Body of `POST /runs`."""

    name: Name = Field(default="tonesmith", description="served name of the model that comes out")
    dataset_id: Name
    base_model: str = Field(default="starter", max_length=200)
    recipe: Name = "lora"
    overrides: Overrides = Overrides()
    priority: int = Field(default=0, ge=-10, le=10, description="higher runs start first")
    continues: Name | None = Field(
        default=None, description="model whose adapter goes on being trained, of the same base"
    )
    stop_when_flat: bool = Field(
        default=True, description="end the run where its loss stays flat or it overfits"
    )
    choose_by: Literal["eval_loss", "style"] = Field(
        default="eval_loss", description="what makes a checkpoint the best"
    )
    data_fraction: float = Field(
        default=1.0, gt=0, le=1, description="share of the training rows, even over the styles"
    )
    publish: bool = Field(default=True, description="false: train and measure, make no model")


class EngineVersions(Recorded):
    """Versions as the engine itself reports them."""

    llamafactory: str = ""
    vllm: str = ""
    torch: str = ""
    transformers: str = ""


class RunEvent(Recorded):
    """A line of `events.jsonl`, in the order of the steps."""

    at: datetime
    kind: Literal["start", "log", "eval", "save", "stop", "end"]
    step: int
    figures: dict[str, float] = {}
    detail: str = ""


class RunOutput(Recorded):
    """A piece of what the engine wrote, for people to read; offsets are bytes of its log."""

    text: str = ""
    start: int = 0
    end: int = Field(default=0, description="where the next piece begins")
    size: int = Field(default=0, description="of the whole log")


class Stop(Recorded):
    """Why a run ended before its last step, and which step is the best one.

    `flat`: the loss stopped falling; `overfit`: the held-out loss rises; `diverged`: the training
    loss rises for good.
    """

    reason: Literal["flat", "overfit", "diverged"]
    step: int
    best_step: int
    saved_steps: int = Field(default=0, description="steps of the plan that were not needed")
    detail: str = ""


class Fit(Recorded):
    """How a run was fitted to its rows and its card: what was chosen, and what it rests on.

    Memory is in bytes and of the fullest card; None where there is no card, or nothing was asked.
    """

    batching: Batching = "plain"
    cutoff_len: int = 0
    micro_batch: int = 0
    accumulation: int = 0
    rows_per_update: float = 0.0
    useful_ratio: float | None = Field(default=None, description="tokens that are no padding")
    card_bytes: int | None = None
    predicted_bytes: int | None = None
    probed_bytes: int | None = None
    measured_bytes: int | None = None
    reasons: list[str] = Field(default=[], description="a sentence for each choice")


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
    world_size: int = Field(default=1, description="processes that train together")
    fit: Fit | None = None
    stop: Stop | None = None
    best_step: int | None = Field(default=None, description="step of the checkpoint that was taken")
    metrics: dict[str, float] = Field(default={}, description="of the best checkpoint, held out")
    notes: list[str] = Field(default=[], description="what the run had to do differently, and why")
    config_hash: str = Field(default="", description="of what the engine is told, but for paths")
    exit_code: int | None = Field(
        default=None, description="of the newest engine; negative: the signal that ended it"
    )
    gpu_seconds: float | None = Field(default=None, description="seconds of all its GPUs together")
    energy_joules: float | None = Field(default=None, description="by the GPUs' own counters")
    cost_dollars: float | None = Field(default=None, description="of its GPU seconds")
    queue_place: int | None = Field(default=None, description="while it waits; 1 starts next")
    model_id: Name | None = None
    error: ErrorBody | None = None
