"""Metrics of the trainer: the latest runs, read from their folders at scrape time."""

import shutil
from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from contracts.job import JobState
from contracts.run import RunRecord
from trainer.engine.checkpoints import newest_sealed_step
from trainer.runfolder import RunFolder
from trainer.workshop import Workshop

RUNS = 5  # run ids are labels: only the latest, so that the number of series stays bounded
STATES = {
    JobState.QUEUED: "queued",
    JobState.RUNNING: "running",
    JobState.DONE: "succeeded",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "stopped",
    JobState.INCOMPLETE: "stopped",
}
FIGURES = {
    "train_loss": ("loss", "Mean training loss since the last log."),
    "train_eval_loss": ("eval_loss", "Loss on the held-out split."),
    "train_learning_rate": ("learning_rate", "Learning rate of the last logged step."),
    "train_grad_norm": ("grad_norm", "Gradient norm before clipping."),
    "train_epoch": ("epoch", "Passes over the data so far."),
}


class RunCollector(Collector):
    """Turns the files of the latest runs into series; a scrape never waits for an engine."""

    def __init__(self, shop: Workshop) -> None:
        self.shop = shop

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the families, built fresh."""
        found = [self._read(job.id) for job in self.shop.store.newest("run", RUNS)]
        runs = [run for run in found if run is not None]
        yield self._info(runs)
        yield states(runs)
        for name, (key, text) in FIGURES.items():
            yield gauge(name, text, {r.id: f.rank().get("figures", {}).get(key) for r, f in runs})
        yield from steps(runs)
        yield from times(runs)
        free = GaugeMetricFamily("train_output_free_bytes", "Free space for runs and models.")
        if self.shop.volume.root.exists():
            free.add_metric([], shutil.disk_usage(self.shop.volume.root).free)
        yield free

    def _read(self, run_id: str) -> "tuple[RunRecord, RunFolder] | None":
        try:
            record = self.shop.volume.run_record(run_id)
        except (OSError, ValueError):
            return None
        state = self.shop.store.get(run_id).state
        return record.model_copy(update={"state": state}), RunFolder(self.shop.volume, run_id)

    def _info(self, runs: "list[tuple[RunRecord, RunFolder]]") -> GaugeMetricFamily:
        labels = ["run_id", "model", "method", "dataset"]
        family = GaugeMetricFamily("train_run_info", "What a run trains on what.", labels=labels)
        for record, _ in runs:
            asked = record.request
            values = [record.id, asked.base_model, asked.recipe, asked.dataset_id]
            family.add_metric(values, 1)
        return family


def states(runs: "list[tuple[RunRecord, RunFolder]]") -> GaugeMetricFamily:
    """Return `train_state`: 1 for the state that a run is in."""
    family = GaugeMetricFamily("train_state", "State of a run.", labels=["run_id", "state"])
    for record, _ in runs:
        for name in sorted(set(STATES.values())):
            family.add_metric([record.id, name], float(STATES[record.state] == name))
    return family


def steps(runs: "list[tuple[RunRecord, RunFolder]]") -> Iterator[GaugeMetricFamily]:
    """Yield how far the runs are."""
    yield gauge("train_step", "Steps done.", {r.id: r.step for r, _ in runs})
    yield gauge("train_max_steps", "Steps in all.", {r.id: r.max_steps or None for r, _ in runs})
    sealed = {r.id: newest_sealed_step(f.checkpoints) for r, f in runs}
    yield gauge("train_last_checkpoint_step", "Step of the newest checkpoint.", sealed)


def times(runs: "list[tuple[RunRecord, RunFolder]]") -> Iterator[GaugeMetricFamily]:
    """Yield when the runs began, moved and ended, in Unix time."""
    began = {r.id: r.started_at.timestamp() if r.started_at else None for r, _ in runs}
    ended = {r.id: r.ended_at.timestamp() if r.ended_at else None for r, _ in runs}
    moved = {r.id: f.rank().get("at") for r, f in runs}
    yield gauge("train_start_timestamp_seconds", "When the run began.", began)
    yield gauge("train_end_timestamp_seconds", "When the run ended.", ended)
    yield gauge("train_last_step_timestamp_seconds", "When the last step was reported.", moved)


def gauge(name: str, text: str, values: Mapping[str, float | int | None]) -> GaugeMetricFamily:
    """Return a gauge by run; a run without the figure has no series."""
    family = GaugeMetricFamily(name, text, labels=["run_id"])
    for run_id, value in values.items():
        if value is not None:
            family.add_metric([run_id], float(value))
    return family


def make_registry(shop: Workshop) -> CollectorRegistry:
    """Return the registry of one app."""
    registry = CollectorRegistry()
    registry.register(RunCollector(shop))
    return registry
