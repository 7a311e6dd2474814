"""The GPUs of the trainer's host: listed, measured, and charged to the run that works on them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi.testclient import TestClient

from contracts.gpu import GpuReport
from contracts.volume import Volume
from fakes.nvml import FakeNvml, uuid_of
from fakes.trainer_app import follow
from fakes.training import DATASET
from trainer.app import create_app
from trainer.config import Settings

CARD = uuid_of(0)
SAMPLED = 'gpu_up{uuid="' + CARD + '"} 1.0'


@contextmanager
def running(
    settings: Settings, environ: dict[str, str], nvml: FakeNvml, **changes: Any
) -> Iterator[TestClient]:
    """Run the app on a host with these GPUs."""
    changed = settings.model_copy(update={"gpu_seconds": 0.02} | changes)
    with TestClient(create_app(changed, environ, nvml)) as client:
        yield client


def until(found: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + 60
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_gpus_are_listed_and_measured(settings: Settings, environ: dict[str, str]) -> None:
    """Under their uuids, in the report as in the series."""
    with running(settings, environ, FakeNvml.of("healthy")) as client:
        until(lambda: SAMPLED in client.get("/metrics").text)
        report = GpuReport.model_validate(client.get("/gpus").json())
        assert report.available
        assert (report.gpus[0].uuid, report.gpus[0].up) == (CARD, True)
        assert report.gpus[0].memory_total_bytes == 80 << 30
        assert "gpu_energy_joules_total" in client.get("/metrics").text


def test_host_without_a_driver_says_so(settings: Settings, environ: dict[str, str]) -> None:
    """And everything else works."""
    with running(settings, environ, FakeNvml.of("no_driver")) as client:
        until(lambda: "gpu_nvml_available 0.0" in client.get("/metrics").text)
        assert client.get("/gpus").json() == {"available": False, "sampled_at": None, "gpus": []}


def test_sampling_can_be_switched_off(settings: Settings, environ: dict[str, str]) -> None:
    """Where something else exports the same GPUs."""
    nvml = FakeNvml.of("healthy")
    with running(settings, environ, nvml, gpu_seconds=0) as client:
        assert "\ngpu_" not in client.get("/metrics").text
        assert not client.get("/gpus").json()["available"]
    assert nvml.starts == 0


def test_hung_driver_hangs_no_scrape(settings: Settings, environ: dict[str, str]) -> None:
    """Threads of the sampler wait; the metrics answer from what is known."""
    nvml = FakeNvml.of("hang")
    try:
        with running(settings, environ, nvml) as client:
            until(lambda: max(nvml.samples) > 0)
            for _ in range(3):
                began = time.monotonic()
                assert "train_output_free_bytes" in client.get("/metrics").text
                assert client.get("/gpus").status_code == 200
                assert time.monotonic() - began < 20  # it hangs for a minute
            nvml.released.set()
    finally:
        nvml.released.set()


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    """The engine says that it works on the first card, for a while."""
    return environ | {"TORCH_FAKE_CARD": CARD, "TORCH_FAKE_STEP_SECONDS": "0.1"}


def test_run_is_charged_for_its_gpu(
    settings: Settings, environ: dict[str, str], volume: Volume
) -> None:
    """By the card's own energy counter; kept in the record, shown as counters."""
    environ["FAILPOINT"] = "fake.waits@6"
    with running(settings, environ, FakeNvml.of("healthy"), gpu_hour_dollars=3600.0) as client:
        until(lambda: SAMPLED in client.get("/metrics").text)
        body = {"dataset_id": DATASET, "overrides": {"max_steps": 12}}
        run = client.post("/runs", json=body).json()["id"]
        assigned = f'train_gpu_assigned{{run_id="{run}",uuid="{CARD}"}} 1.0'
        until(lambda: assigned in client.get("/metrics").text)
        (volume.run(run) / "go-on").touch()
        follow(client, f"/runs/jobs/{run}")
        text = client.get("/metrics").text
    record = volume.run_record(run)
    assert record.gpu_seconds is not None
    assert 0.5 < record.gpu_seconds < 60
    assert record.energy_joules is not None
    assert record.energy_joules > 0
    assert record.cost_dollars == pytest.approx(record.gpu_seconds)
    assert assigned not in text
    for name in (
        "train_gpu_seconds_total",
        "train_energy_joules_total",
        "train_cost_dollars_total",
    ):
        assert f'{name}{{run_id="{run}"}}' in text
    assert f'train_mfu_ratio{{run_id="{run}"}}' in text


def test_run_without_a_card_is_charged_nothing(
    settings: Settings, environ: dict[str, str], volume: Volume
) -> None:
    """Absent, never 0."""
    del environ["TORCH_FAKE_CARD"]
    with running(settings, environ, FakeNvml.of("healthy"), gpu_hour_dollars=3600.0) as client:
        body = {"dataset_id": DATASET, "overrides": {"max_steps": 3}}
        run = client.post("/runs", json=body).json()["id"]
        follow(client, f"/runs/jobs/{run}")
    record = volume.run_record(run)
    assert (record.gpu_seconds, record.energy_joules, record.cost_dollars) == (None, None, None)
    assert record.exit_code == 0
