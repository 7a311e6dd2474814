"""Runs that take the GPU from serving first, with the fake engine and a fake launcher."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from contracts.job import Job, JobState
from contracts.volume import Volume
from fakes.launcher import FakeLauncher
from fakes.running import running
from fakes.serving_process import until
from fakes.trainer_app import FAKE_ENGINE, follow, make_settings
from fakes.training import DATASET, expect_whole_run
from trainer.app import create_app
from trainer.config import Settings

LONG = {"max_steps": 100_000, "save_steps": 50_000}
WAITING = "waiting for the GPU"
# Bounds of a hang, and far below what a run would wait for here.
PATIENCE_SECONDS = 30.0
LONG_SECONDS = 600.0


class Exclusive:
    """A trainer that takes the GPU from a launcher for each run."""

    def __init__(self, folder: Path, launcher: FakeLauncher, url: str) -> None:
        changes = {"exclusive": True, "serving_control_url": url, "lease_ttl_seconds": 1.0}
        self.settings = make_settings(folder).model_copy(update=changes)
        self.volume = Volume(self.settings.data_dir)
        self.launcher = launcher
        self.environ = {"PATH": os.environ["PATH"]}

    def app(self, **changes: Any) -> TestClient:
        """Return the app, to be entered."""
        return TestClient(create_app(self.settings.model_copy(update=changes), self.environ))

    @property
    def holder(self) -> str:
        """Who has the GPU."""
        lease = self.launcher.held()
        return lease["holder"] if lease else ""

    def engine_started(self, run: str) -> bool:
        """Return whether an engine ran."""
        return (self.volume.run(run) / "engine.log").exists()


@pytest.fixture
def exclusive(tmp_path: Path) -> Iterator[Exclusive]:
    """A launcher that listens, and the trainer's settings."""
    launcher = FakeLauncher()
    with running(launcher.app) as url:
        yield Exclusive(tmp_path, launcher, url)


def start(client: TestClient, **overrides: Any) -> str:
    """Start a run and return its id."""
    body = {"dataset_id": DATASET, "overrides": {"max_steps": 12, "save_steps": 4} | overrides}
    return str(client.post("/runs", json=body).json()["id"])


def job(client: TestClient, run: str) -> Job:
    """Return the job of a run."""
    return Job.model_validate_json(client.get(f"/runs/jobs/{run}").content)


def stage(client: TestClient, run: str, wanted: Callable[[str], bool]) -> None:
    """Wait for a stage of the job."""
    until(lambda: wanted(job(client, run).progress.stage), PATIENCE_SECONDS)


def test_engine_starts_only_once_serving_is_gone(exclusive: Exclusive) -> None:
    """The job says what it waits for; after the run the GPU is serving's again."""
    exclusive.launcher.drain_seconds = LONG_SECONDS
    with exclusive.app() as client:
        run = start(client)
        stage(client, run, lambda name: name == WAITING)
        # The job says so before it asks; who asks again was not given it the first time.
        until(lambda: exclusive.launcher.calls.count("POST") >= 2, PATIENCE_SECONDS)
        assert exclusive.holder == run
        assert not exclusive.engine_started(run)
        exclusive.launcher.drain_seconds = 0.0
        assert follow(client, f"/runs/jobs/{run}").state is JobState.DONE
        assert exclusive.holder == ""
    expect_whole_run(exclusive.volume, run)


@pytest.mark.parametrize(
    ("fault", "state"), [("fake.crash", "failed"), ("fake.killed@6", "failed"), ("", "cancelled")]
)
def test_gpu_is_given_back_however_the_run_ends(
    exclusive: Exclusive, fault: str, state: str
) -> None:
    """Failed, killed again and again under one lease, or cancelled."""
    exclusive.environ["FAILPOINT"] = fault
    with exclusive.app() as client:
        run = start(client, **({} if fault else LONG))
        if not fault:
            stage(client, run, lambda name: name == "train")
            until(lambda: exclusive.holder == run, PATIENCE_SECONDS)
            client.post(f"/runs/jobs/{run}/cancel")
        assert follow(client, f"/runs/jobs/{run}").state == state
        assert exclusive.holder == ""
    assert exclusive.launcher.calls.count("DELETE") == 1


def test_cancel_works_while_it_waits(exclusive: Exclusive) -> None:
    """Without the GPU, and no engine was started; resumed later, the run goes through."""
    exclusive.launcher.lend("another-run", LONG_SECONDS)
    with exclusive.app() as client:
        run = start(client)
        stage(client, run, lambda name: name == WAITING)
        began = time.monotonic()
        client.post(f"/runs/jobs/{run}/cancel")
        assert follow(client, f"/runs/jobs/{run}").state is JobState.CANCELLED
        assert time.monotonic() - began < PATIENCE_SECONDS  # test_lease has the second
        assert exclusive.holder == "another-run"
        assert not exclusive.engine_started(run)
        exclusive.launcher.forget()
        client.post(f"/runs/jobs/{run}/resume")
        assert follow(client, f"/runs/jobs/{run}").state is JobState.DONE


def test_run_without_the_gpu_fails_with_the_way_out(exclusive: Exclusive) -> None:
    """The next run in the queue is not held up by it."""
    exclusive.launcher.lend("another-run")
    with exclusive.app(lease_wait_seconds=2.0) as client:
        run = start(client)
        failed = follow(client, f"/runs/jobs/{run}")
        assert failed.state is JobState.FAILED
        assert failed.error
        assert failed.error.code == "no_lease"
        assert "another-run" in failed.error.message
        assert "TRAINER_EXCLUSIVE" in str(failed.error.hint)
        assert client.get(f"/runs/{run}").json()["error"]["code"] == "no_lease"
        exclusive.launcher.forget()
        assert follow(client, f"/runs/jobs/{start(client)}").state is JobState.DONE


def test_run_that_loses_the_gpu_saves_and_fails(exclusive: Exclusive) -> None:
    """Serving lent it to somebody else; resumed later, the run goes on where it was."""
    exclusive.environ["FAILPOINT"] = "fake.waits@20"
    with exclusive.app() as client:
        run = start(client, max_steps=40, save_steps=40)
        stage(client, run, lambda name: name == "train")
        exclusive.launcher.lend("another-run")
        failed = follow(client, f"/runs/jobs/{run}")
        assert failed.error
        assert failed.error.code == "lease_lost"
        assert "another-run" in failed.error.message
        assert exclusive.holder == "another-run"
        assert [e for e in client.get(f"/runs/{run}/log").json() if e["kind"] == "save"]
        exclusive.launcher.forget()
        client.post(f"/runs/jobs/{run}/resume")
        assert follow(client, f"/runs/jobs/{run}").state is JobState.DONE
    assert exclusive.volume.run_record(run).resumed_from


@pytest.mark.parametrize("drain_seconds", [0.0, LONG_SECONDS], ids=["trains", "waits"])
def test_stopped_trainer_gives_the_gpu_back_and_goes_on_later(
    exclusive: Exclusive, drain_seconds: float
) -> None:
    """Its shutdown is quick; the next start takes the GPU again and ends the run."""
    exclusive.launcher.drain_seconds = drain_seconds
    exclusive.environ["FAILPOINT"] = "fake.waits@6"
    with exclusive.app() as client:
        run = start(client)
        stage(client, run, lambda name: name == (WAITING if drain_seconds else "train"))
        until(lambda: exclusive.holder == run, PATIENCE_SECONDS)  # the job says so before it asks
        began = time.monotonic()
    assert time.monotonic() - began < PATIENCE_SECONDS
    assert exclusive.holder == ""
    del exclusive.environ["FAILPOINT"]
    exclusive.launcher.drain_seconds = 0.0
    with exclusive.app() as client:
        assert follow(client, f"/runs/jobs/{run}").state is JobState.DONE
    assert exclusive.holder == ""


def test_killed_trainer_loses_the_gpu_after_a_while(exclusive: Exclusive) -> None:
    """kill -9: no heartbeat comes, so the lease expires; the next start takes another."""
    settings = exclusive.settings
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(sys.path),
        "DATA_DIR": str(settings.data_dir),
        "MODELS_DIR": str(settings.models_dir),
        "SERVING_CONTROL_URL": settings.serving_control_url,
        "TRAINER_STATE_DIR": str(settings.state_dir),
        "TRAINER_ENGINE_PYTHON": str(settings.engine_python),
        "TRAINER_RESERVE_BYTES": "0",
        "TRAINER_EXCLUSIVE": "1",
        "TRAINER_LEASE_TTL_SECONDS": "2",
        "TORCH_FAKE_STEP_SECONDS": "0.1",
    }
    drive = [sys.executable, str(FAKE_ENGINE.with_name("trainer_driver.py"))]
    trainer = subprocess.Popen([*drive, "start"], env=environ, stdout=subprocess.PIPE)
    assert trainer.stdout
    run, _ = trainer.stdout.readline().split()
    assert exclusive.holder == run.decode()
    trainer.send_signal(signal.SIGKILL)
    trainer.wait()
    trainer.stdout.close()
    assert exclusive.holder == run.decode()
    until(lambda: not exclusive.holder, PATIENCE_SECONDS)
    assert exclusive.launcher.calls[-1] == "expired"
    environ["TORCH_FAKE_STEP_SECONDS"] = "0"
    again = subprocess.run([*drive, "finish"], env=environ, check=True, stdout=subprocess.PIPE)
    assert again.stdout.split() == [run, b"done", b"resumed"]
    assert exclusive.holder == ""


def test_launcher_is_left_alone_where_both_run_side_by_side(exclusive: Exclusive) -> None:
    """The default: on a CPU, or with room for both, serving goes on."""
    with exclusive.app(exclusive=False) as client:
        assert follow(client, f"/runs/jobs/{start(client)}").state is JobState.DONE
    assert exclusive.launcher.calls == []
    assert not Settings().exclusive
