"""Series of how a run trains: what its ranks and its checkpoints say. A figure unknown has none."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from contracts.job import JobState
from contracts.run import RunRecord
from trainer.engine.checkpoints import MANIFEST, newest_sealed_step
from trainer.engine.files import read_json
from trainer.engine.nonfinite import WORDS
from trainer.report import numbers
from trainer.runfolder import RunFolder

FIGURES = {
    "train_loss": ("loss", "Mean training loss since the last log."),
    "train_loss_smoothed": ("loss_smoothed", "Training loss, smoothed by steps."),
    "train_eval_loss": ("eval_loss", "Loss on the held-out split."),
    "train_best_eval_loss": ("best_eval_loss", "Lowest loss on the held-out split so far."),
    "train_evals_since_best": ("evals_since_best", "Evaluations since the lowest loss."),
    "train_loss_improvement_ratio": (
        "loss_improvement_ratio",
        "Fall of the smoothed loss over the window, as a share of it.",
    ),
    "train_loss_noise_ratio": ("loss_noise_ratio", "Scatter of the loss around the smoothed one."),
    "train_plateau_steps": ("plateau_steps", "Steps since the smoothed loss last fell enough."),
    "train_plateau_patience_steps": (
        "plateau_patience_steps",
        "Steps without improvement after which the run stops.",
    ),
    "train_learning_rate": ("learning_rate", "Learning rate of the last logged step."),
    "train_grad_norm": ("grad_norm", "Gradient norm before clipping; NaN where it is no number."),
    "train_epoch": ("epoch", "Passes over the data so far."),
    "train_samples_per_second": ("samples_per_second", "Rows trained on in a second."),
    "train_tokens_per_second": ("tokens_per_second", "Tokens, without padding, in a second."),
}
TOTALS = {
    "train_steps": ("steps", "Steps taken, those that were repeated after a resume too."),
    "train_samples": ("samples", "Rows trained on."),
    "train_tokens": ("tokens", "Tokens trained on, without padding."),
    "train_flops": ("flops", "FLOPs of the model for the tokens trained on."),
    "train_nonfinite_steps": ("nonfinite_steps", "Steps whose loss or gradient was no number."),
}
MEMORY = {
    "memory_allocated_bytes": "allocated",
    "memory_reserved_bytes": "reserved",
    "memory_peak_allocated_bytes": "peak_allocated",
    "memory_peak_reserved_bytes": "peak_reserved",
}
# Why a run ended: a closed list, since it is a label.
FAULTS = frozenset({"non_finite_loss", "out_of_memory", "storage_full"})
ENDINGS = {
    JobState.DONE: "finished",
    JobState.CANCELLED: "cancelled",
    JobState.INCOMPLETE: "cancelled",
    JobState.FAILED: "failed",
}


@dataclass(frozen=True)
class Seen:
    """One run as its files show it at a scrape."""

    record: RunRecord
    folder: RunFolder
    ranks: Sequence[Mapping[str, Any]] = field(default=())

    @property
    def id(self) -> str:
        """The run's id."""
        return self.record.id

    @property
    def first(self) -> Mapping[str, Any]:
        """What the first rank said last; nothing before its first word."""
        return self.ranks[0] if self.ranks else {}

    @cached_property
    def figures(self) -> dict[str, float]:
        """The figures of the first rank; of those that are no number, the gradient's as NaN."""
        given = self.first.get("figures")
        found = numbers(given)
        if isinstance(given, Mapping) and given.get("grad_norm") in WORDS:
            found["grad_norm"] = math.nan
        return found

    @cached_property
    def totals(self) -> dict[str, float]:
        """What the first rank counted over the run."""
        return numbers(self.first.get("totals"))

    @cached_property
    def checkpoint(self) -> tuple[int, Path]:
        """Step and manifest of the newest sealed checkpoint; step 0 where there is none."""
        step = newest_sealed_step(self.folder.checkpoints)
        return step, self.folder.checkpoints / f"checkpoint-{step}" / MANIFEST


def progress(runs: Sequence[Seen]) -> Iterator[Metric]:
    """Yield what the ranks of the runs say."""
    for name, (key, text) in FIGURES.items():
        yield gauge(name, text, {run.id: run.figures.get(key) for run in runs})
    for name, (key, text) in TOTALS.items():
        yield counter(name, text, {run.id: run.totals.get(key) for run in runs})
    restarts = {run.id: len(run.record.resumed_from) for run in runs}
    yield counter("train_restarts", "Starts that went on from a checkpoint.", restarts)
    labels = ["run_id", "rank", "kind"]
    text = "Memory of a rank's card, as torch counts it."
    memory = GaugeMetricFamily("train_cuda_memory_bytes", text, labels=labels)
    for run in runs:
        for rank in run.ranks:
            figures = numbers(rank.get("figures"))
            for key in MEMORY.keys() & figures.keys():
                memory.add_metric([run.id, str(rank.get("rank", 0)), MEMORY[key]], figures[key])
    yield memory


def checkpoints(runs: Sequence[Seen]) -> Iterator[Metric]:
    """Yield what lies of each run's newest checkpoint."""
    steps, moments, sizes = {}, {}, {}
    for run in runs:
        steps[run.id], path = run.checkpoint
        manifest = read_json(path)
        if isinstance(manifest, dict) and path.exists():
            moments[run.id] = path.stat().st_mtime
            sizes[run.id] = sum(each["bytes"] for each in manifest.get("files", {}).values())
    yield gauge("train_last_checkpoint_step", "Step of the newest checkpoint.", steps)
    text = "When the newest checkpoint was sealed."
    yield gauge("train_last_checkpoint_timestamp_seconds", text, moments)
    yield gauge("train_checkpoint_bytes", "Size of the newest checkpoint.", sizes)


def endings(runs: Sequence[Seen]) -> Metric:
    """Return `train_stop`: 1 for the reason why a run ended; none while it goes on."""
    family = GaugeMetricFamily("train_stop", "Why a run ended.", labels=["run_id", "reason"])
    for run in runs:
        if reason := ending(run.record):
            family.add_metric([run.id, reason], 1)
    return family


def ending(record: RunRecord) -> str:
    """Return why a run ended, or nothing."""
    if record.state is JobState.DONE and record.stop:
        return record.stop.reason
    if record.error and record.error.code in FAULTS:
        return record.error.code
    return ENDINGS.get(record.state, "")


def gauge(name: str, text: str, values: Mapping[str, float | int | None]) -> GaugeMetricFamily:
    """Return a gauge by run; a run without the figure has no series."""
    family = GaugeMetricFamily(name, text, labels=["run_id"])
    for run_id, value in values.items():
        if value is not None:
            family.add_metric([run_id], float(value))
    return family


def counter(
    name: str, text: str, values: Mapping[str, float | int | None], *labels: str
) -> CounterMetricFamily:
    """Return a counter by run, `<name>_total`; a run without the figure has no series."""
    family = CounterMetricFamily(name, text, labels=["run_id", *labels])
    for run_id, value in values.items():
        if value is not None:
            family.add_metric([run_id], float(value))
    return family
