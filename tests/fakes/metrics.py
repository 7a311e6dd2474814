"""Registries of datagen, serving and the trainer with something in every family."""

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from prometheus_client import CollectorRegistry

from contracts.errors import ErrorBody
from contracts.identity import now
from contracts.job import Job, JobState
from contracts.run import RunRecord, RunRequest
from contracts.volume import Volume
from datagen.budget import Ledger, Reservation
from datagen.metrics import Metrics
from datagen.prices import Prices
from datagen.usage import Usage
from fakes.surveyed import QWEN3_SMALL
from serving.metrics import ServingMetrics
from trainer.config import Settings
from trainer.engine import checkpoints
from trainer.engine.occupancy import write_identity
from trainer.engine.speed import Speed
from trainer.metrics import make_registry
from trainer.runfolder import RunFolder, save
from trainer.workshop import Workshop


def datagen_registry() -> CollectorRegistry:
    """Return datagen's registry after a dataset from a teacher with a price and a budget."""
    metrics = Metrics()
    ledger = metrics.shown(Ledger(budget=5.0))
    usage = Usage(input=100, cached=20, output=30, reasoning=10)
    Reservation(ledger, 1, "scripted", Prices(1.0, 0.1, 4.0), 0.001).settle(usage)
    metrics.count_sample(usage)
    metrics.duplicates.set(0.1)
    metrics.show_dataset({"train": 9, "eval": 1}, 4096)
    return metrics.registry


def serving_registry() -> CollectorRegistry:
    """Return the registry of serving's launcher, whose gate has answered and is answering."""
    registry = CollectorRegistry()
    metrics = ServingMetrics(registry)
    metrics.gate.snapshot = {
        "requests": [{"model": "tonesmith", "status": 200, "count": 3}],
        "inflight": {"tonesmith.v1": 1},
    }
    return registry


CARD = "GPU-5e6f7a8b-1111-2222-3333-444455556666"
ARGUMENTS = {"finetuning_type": "lora", "bf16": True}
FIGURES = {
    "loss": 1.2,
    "loss_smoothed": 1.3,
    "eval_loss": 1.4,
    "best_eval_loss": 1.35,
    "evals_since_best": 1,
    "loss_improvement_ratio": 0.02,
    "loss_noise_ratio": 0.05,
    "plateau_steps": 4,
    "plateau_patience_steps": 60,
    "learning_rate": 2e-4,
    "grad_norm": 0.8,
    "epoch": 0.5,
    "memory_allocated_bytes": 1e10,
    "memory_reserved_bytes": 1.1e10,
    "memory_peak_allocated_bytes": 1.2e10,
    "memory_peak_reserved_bytes": 1.3e10,
}
TAKEN = {"gpu_seconds": 600.0, "energy_joules": 3e5, "cost_dollars": 0.5}


class Config:
    """The configuration of the model that is trained."""

    def to_dict(self) -> dict[str, Any]:
        """Return the sizes."""
        return dict(QWEN3_SMALL)


class OneJob:
    """A queue with one run in it."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def newest(self, _: str, __: int) -> list[Job]:
        """Return it."""
        return [self.job]


def rank_file() -> dict[str, Any]:
    """Return what rank 0 of a run on a card says after two steps."""
    speed = Speed(ARGUMENTS)
    speed.describe(Config())
    for step in (1, 2):
        speed.begin()
        speed.pace.waited(0.01)
        speed.end(step)
    speed.totals.show({"alloc_retries": 1, "ooms": 0})
    figures = FIGURES | speed.logged(8192, 16, 2.0) | speed.pace.figures(100)
    who = {"pid": os.getpid(), "rank": 0, "gpu_uuid": CARD, "gpu_name": "NVIDIA H200"}
    said = {"stage": "train", "step": 2, "at": 1.8e9, "logged_at": 1.8e9, "figures": figures}
    return {**who, **speed.document(), **said}


def telling_run(volume: Volume) -> Job:
    """Write the files of a run of which everything is known; return its job."""
    stamps = {"created_at": now(), "updated_at": now()}
    job = Job(id="r-1", kind="run", state=JobState.RUNNING, request={}, **stamps)
    folder = RunFolder(volume, job.id)
    folder.path.mkdir(parents=True)
    known = {"started_at": now(), "ended_at": now(), "step": 2, "max_steps": 100, "exit_code": 0}
    error = ErrorBody(code="out_of_memory", message="a first try did not fit")
    asked = RunRequest(dataset_id="d-1")
    record = RunRecord(
        id=job.id, state=job.state, request=asked, created_at=now(), error=error, **known, **TAKEN
    )
    save(folder, record)
    folder.write("rank-0.json", json.dumps(rank_file()))
    write_identity(folder.path / "engine.pid")
    path = folder.checkpoints / "checkpoint-2"
    path.mkdir(parents=True)
    (path / "weights").write_bytes(b"12345")
    checkpoints.seal(path, 2, 1.4)
    return job


def shop_of(volume: Volume, job: Job) -> Workshop:
    """Return as much of a workshop as its metrics look at."""
    settings = Settings(data_dir=volume.root)
    return cast(Workshop, SimpleNamespace(settings=settings, volume=volume, store=OneJob(job)))


def train_registry(folder: Path) -> CollectorRegistry:
    """Return the trainer's registry over a run in `folder` that trains and says everything."""
    volume = Volume(folder)
    return make_registry(shop_of(volume, telling_run(volume)))
