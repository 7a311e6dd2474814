"""Metrics of the trainer: the latest runs, read from their folders at scrape time."""

import shutil
from collections.abc import Iterator, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from contracts.job import Job, JobState
from trainer.progress_metrics import Seen, checkpoints, endings, gauge, progress
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


class RunCollector(Collector):
    """Turns the files of the latest runs into series; a scrape never waits for an engine."""

    def __init__(self, shop: Workshop) -> None:
        self.shop = shop

    def collect(self) -> Iterator[Metric]:
        """Yield the families, built fresh."""
        found = [self._read(job) for job in self.shop.store.newest("run", RUNS)]
        runs = [run for run in found if run is not None]
        yield info(runs)
        yield states(runs)
        yield endings(runs)
        yield from progress(runs)
        yield from steps(runs)
        yield from checkpoints(runs)
        yield from times(runs)
        text = "Share of a card's memory that a run should use."
        band = GaugeMetricFamily("train_vram_target_ratio", text, labels=["bound"])
        for bound, share in zip(("low", "high"), self.shop.settings.band, strict=True):
            band.add_metric([bound], share)
        yield band
        free = GaugeMetricFamily("train_output_free_bytes", "Free space for runs and models.")
        if self.shop.volume.root.exists():
            free.add_metric([], shutil.disk_usage(self.shop.volume.root).free)
        yield free

    def _read(self, job: Job) -> Seen | None:
        try:
            record = self.shop.volume.run_record(job.id)
        except (OSError, ValueError):
            return None
        folder = RunFolder(self.shop.volume, job.id)
        return Seen(record.model_copy(update={"state": job.state}), folder, folder.ranks())


def info(runs: Sequence[Seen]) -> Metric:
    """Return `train_run_info`: 1, with what a run trains on what."""
    labels = ["run_id", "model", "method", "dataset", "world_size"]
    family = GaugeMetricFamily("train_run_info", "What a run trains on what.", labels=labels)
    for run in runs:
        asked, count = run.record.request, str(run.record.world_size)
        family.add_metric([run.id, asked.base_model, asked.recipe, asked.dataset_id, count], 1)
    return family


def states(runs: Sequence[Seen]) -> Metric:
    """Return `train_state`: 1 for the state that a run is in."""
    family = GaugeMetricFamily("train_state", "State of a run.", labels=["run_id", "state"])
    for run in runs:
        for name in sorted(set(STATES.values())):
            family.add_metric([run.id, name], float(STATES[run.record.state] == name))
    return family


def steps(runs: Sequence[Seen]) -> Iterator[Metric]:
    """Yield how far the runs are."""
    yield gauge("train_step", "Steps done.", {run.id: run.record.step for run in runs})
    most = {run.id: run.record.max_steps or None for run in runs}
    yield gauge("train_max_steps", "Steps in all.", most)


def times(runs: Sequence[Seen]) -> Iterator[Metric]:
    """Yield when the runs began, moved and ended, in Unix time."""
    began = {run.id: unix(run.record.started_at) for run in runs}
    ended = {run.id: unix(run.record.ended_at) for run in runs}
    moved = {run.id: run.ranks[0].get("at") for run in runs if run.ranks}
    yield gauge("train_start_timestamp_seconds", "When the run began.", began)
    yield gauge("train_end_timestamp_seconds", "When the run ended.", ended)
    yield gauge("train_last_step_timestamp_seconds", "When the last step was reported.", moved)


def unix(moment: datetime | None) -> float | None:
    """Return a moment in seconds since 1970, or None."""
    return moment.timestamp() if moment else None


def make_registry(shop: Workshop) -> CollectorRegistry:
    """Return the registry of one app."""
    registry = CollectorRegistry()
    registry.register(RunCollector(shop))
    return registry
