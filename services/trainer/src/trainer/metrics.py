"""Metrics of the trainer: the latest runs, read from their folders at scrape time."""

import logging
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from contracts.job import Job, JobState
from trainer.pace_metrics import allocator, number, pace, spending
from trainer.progress_metrics import Seen, checkpoints, endings, gauge, progress
from trainer.runfolder import RunFolder
from trainer.workshop import Workshop

logger = logging.getLogger(__name__)
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
    """Turns the files of the latest runs into series; a scrape never waits for an engine.

    A run whose files cannot be read is left out and counted: one broken file must not hide what is
    known of the others, and an error here would be one of the whole target.
    """

    def __init__(self, shop: Workshop) -> None:
        self.shop = shop
        self.errors = 0
        self.told: set[str] = set()

    def collect(self) -> Iterator[Metric]:
        """Yield the families, built fresh. Raises nothing."""
        parts = [list(families(()))]  # every family, also where there is no run
        for job in self._jobs():
            parts += self._part(job)
        yield from merged(parts)
        yield from self._host()
        text = "Times that what is known of a run could not be read."
        yield CounterMetricFamily("train_collect_errors", text, value=self.errors)

    def _jobs(self) -> list[Job]:
        try:
            return self.shop.store.newest("run", RUNS)
        except sqlite3.Error:
            self.errors += 1
            return []

    def _part(self, job: Job) -> list[list[Metric]]:
        """Return what one run adds: nothing before it has a record, nor where that is broken."""
        try:
            run = self._read(job)
            return [list(families([run]))] if run else []
        except Exception as error:  # whatever is wrong with a file, the others are to be shown
            self.errors += 1
            level = logging.DEBUG if job.id in self.told else logging.WARNING
            logger.log(level, "run left out of /metrics", extra={"run": job.id}, exc_info=error)
            self.told.add(job.id)
            return []

    def _read(self, job: Job) -> Seen | None:
        try:
            record = self.shop.volume.run_record(job.id)
        except FileNotFoundError:
            return None
        folder = RunFolder(self.shop.volume, job.id)
        ranks = folder.ranks()
        if len(ranks) != len(folder.rank_files()):
            raise ValueError("a rank file is no JSON document")
        return Seen(record.model_copy(update={"state": job.state}), folder, ranks)

    def _host(self) -> Iterator[Metric]:
        """Yield what holds for every run."""
        text = "Share of a card's memory that a run should use."
        band = GaugeMetricFamily("train_vram_target_ratio", text, labels=["bound"])
        for bound, share in zip(("low", "high"), self.shop.settings.band, strict=True):
            band.add_metric([bound], share)
        yield band
        free = GaugeMetricFamily("train_output_free_bytes", "Free space for runs and models.")
        with suppress(OSError):
            free.add_metric([], shutil.disk_usage(self.shop.volume.root).free)
        yield free


def families(runs: Sequence[Seen]) -> Iterator[Metric]:
    """Yield every family by run."""
    yield info(runs)
    yield states(runs)
    yield endings(runs)
    for part in (progress, steps, checkpoints, times, pace, spending, allocator):
        yield from part(runs)


def merged(parts: Iterable[Iterable[Metric]]) -> list[Metric]:
    """Return each family once, with the samples of all parts."""
    found: dict[str, Metric] = {}
    for part in parts:
        for family in part:
            found.setdefault(family.name, family)
            if found[family.name] is not family:
                found[family.name].samples.extend(family.samples)
    return list(found.values())


def info(runs: Sequence[Seen]) -> Metric:
    """Return `train_run_info`: 1, with what a run trains on what."""
    labels = ["run_id", "model", "method", "dataset", "world_size", "config_hash"]
    family = GaugeMetricFamily("train_run_info", "What a run trains on what.", labels=labels)
    for run in runs:
        asked = run.record.request
        named = [asked.base_model, asked.recipe, asked.dataset_id]
        family.add_metric([run.id, *named, str(run.record.world_size), run.record.config_hash], 1)
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
    moved = {run.id: number(run.first.get("at")) for run in runs}
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
