"""Series of a run's pace, of what it takes of its GPUs, and a collector that never fails."""

import json
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest

from contracts.identity import now
from contracts.job import Job, JobState
from contracts.volume import Volume
from fakes.metrics import CARD, TAKEN, OneJob, rank_file, shop_of, telling_run
from trainer.metrics import make_registry
from trainer.runfolder import RunFolder, save

RUN = {"run_id": "r-1"}


class Bench:
    """A run of which everything is known, and its registry."""

    def __init__(self, folder: Path) -> None:
        self.volume = Volume(folder)
        self.job = telling_run(self.volume)
        self.folder = RunFolder(self.volume, self.job.id)
        self.shop = shop_of(self.volume, self.job)
        self.registry = make_registry(self.shop)

    def value(self, name: str, **labels: str) -> float | None:
        """Return a sample of the run."""
        return self.registry.get_sample_value(name, RUN | labels)

    def say(self, **changes: Any) -> None:
        """Have the rank say something else."""
        self.folder.write("rank-0.json", json.dumps(rank_file() | changes))

    def ended(self, state: JobState = JobState.DONE) -> None:
        """Have the run end."""
        self.shop.store.job = self.job.model_copy(update={"state": state})  # type: ignore[attr-defined]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A bench."""
    return Bench(tmp_path)


def test_pace_of_a_run_is_known_from_its_rank_file(bench: Bench) -> None:
    """Buckets cumulative, and a pace that is no more than two steps old."""
    count = bench.value("train_step_duration_seconds_count")
    assert count == bench.value("train_step_duration_seconds_bucket", le="+Inf") == 2
    assert bench.value("train_data_wait_seconds_bucket", le="0.005") == 0
    assert bench.value("train_data_wait_seconds_bucket", le="0.01") == 2
    assert bench.value("train_data_wait_seconds_sum") == pytest.approx(0.02)
    assert bench.value("train_step_seconds_ewma") is not None
    assert bench.value("train_eta_seconds") is not None
    assert bench.value("train_last_log_timestamp_seconds") == 1.8e9


def test_utilisation_is_a_share_of_the_cards_peak(bench: Bench) -> None:
    """4096 tokens a second of 4N and attention, on an H200 in 16 bits."""
    each = rank_file()["flops_per_token"]
    assert bench.value("train_mfu_ratio") == pytest.approx(4096 * each / 989.5e12)
    for unknown in ({"gpu_name": "Brand New 9000"}, {"flops_per_token": None}, {"dtype": None}):
        bench.say(**unknown)
        assert bench.value("train_mfu_ratio") is None


def test_what_a_run_takes_stands_in_its_record(bench: Bench) -> None:
    """So it survives a restart; what is not known there has no series."""
    assert bench.value("train_gpu_seconds_total") == TAKEN["gpu_seconds"]
    assert bench.value("train_energy_joules_total") == TAKEN["energy_joules"]
    assert bench.value("train_cost_dollars_total") == TAKEN["cost_dollars"]
    record = bench.volume.run_record("r-1")
    save(bench.folder, record.model_copy(update=dict.fromkeys(TAKEN)))
    assert bench.value("train_energy_joules_total") is None
    assert bench.value("train_cost_dollars_total") is None


def test_gpu_is_assigned_while_the_engine_lives(bench: Bench) -> None:
    """Alerts on an idle card join by it: it must go with the engine."""
    assert bench.value("train_gpu_assigned", uuid=CARD) == 1
    bench.say(pid=1)
    assert bench.value("train_gpu_assigned", uuid=CARD) is None
    bench.say()
    bench.ended()
    assert bench.value("train_gpu_assigned", uuid=CARD) is None
    assert bench.value("train_eta_seconds") is None
    assert bench.value("train_step_duration_seconds_count") == 2


def test_allocator_is_told_by_rank(bench: Bench) -> None:
    """Absent on a processor."""
    assert bench.value("train_cuda_alloc_retries_total", rank="0") == 1
    assert bench.value("train_cuda_ooms_total", rank="0") == 0
    bench.say(totals={"steps": 3})
    assert bench.value("train_cuda_ooms_total", rank="0") is None


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rank-0.json", "{"),
        ("rank-0.json", '{"rank": "first"}'),
        ("rank-0.json", '{"pace": {"step": {"bounds": [1], "counts": [1], "sum": 1}}}'),
        ("rank-0.json", '{"pace": [1]}'),
        ("rank-0.json", "[1]"),
        ("run.json", "{"),
        ("run.json", '{"id": "r-1"}'),
    ],
)
def test_broken_file_leaves_out_its_run_alone(bench: Bench, name: str, content: str) -> None:
    """An error in a scrape would be one of the whole target, GPUs included."""
    bench.folder.write(name, content)
    generate_latest(bench.registry)
    assert bench.registry.get_sample_value("train_collect_errors_total")
    assert bench.value("train_step") is None
    assert bench.registry.get_sample_value("train_output_free_bytes") is not None


def test_broken_run_hides_no_other(bench: Bench) -> None:
    """The latest runs are read one by one."""
    stamps = {"created_at": now(), "updated_at": now()}
    broken = Job(id="r-2", kind="run", state=JobState.RUNNING, request={}, **stamps)
    RunFolder(bench.volume, "r-2").path.mkdir()
    RunFolder(bench.volume, "r-2").write("run.json", "no json")

    class Two(OneJob):
        def newest(self, _: str, __: int) -> list[Job]:
            return [broken, self.job]

    bench.shop.store = Two(bench.job)  # type: ignore[assignment, misc]
    assert bench.value("train_step") == 2
    assert bench.registry.get_sample_value("train_collect_errors_total")


def test_run_that_waits_has_no_record_and_is_no_error(bench: Bench) -> None:
    """It is queued; there is nothing to read yet."""
    (bench.folder.path / "run.json").unlink()
    assert bench.value("train_step") is None
    assert bench.registry.get_sample_value("train_collect_errors_total") == 0
