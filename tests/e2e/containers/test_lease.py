"""One machine, two tenants: serving yields to a training run, and comes back in every ending."""

import time

import httpx
import pytest

from contracts.artefact import ServingStatus
from contracts.dataset import DatasetManifest
from contracts.job import JobState
from contracts.run import Overrides, RunRequest
from fakes.compose_project import ComposeProject, until

pytestmark = pytest.mark.container
LEND_SECONDS = 180
BACK_SECONDS = 90
RUN_SECONDS = 300


@pytest.fixture(scope="module")
def exclusive(first_up: ComposeProject) -> ComposeProject:
    """The stack with a trainer that wants the machine for itself."""
    first_up.up(TRAINER_EXCLUSIVE="1")
    first_up.served()
    return first_up


@pytest.fixture
def run(exclusive: ComposeProject, dataset: DatasetManifest) -> str:
    """A run that has serving's lease."""
    overrides = Overrides(max_steps=40, save_steps=10)
    assert engine_processes(exclusive), "a stack that serves has an engine"
    with exclusive.trainer() as trainer:
        asked = RunRequest(dataset_id=dataset.id, overrides=overrides, stop_when_flat=False)
        started = trainer.train(asked).id
    until(lambda: status(exclusive).state == "lent", LEND_SECONDS, exclusive.log_tails)
    return started


def status(stack: ComposeProject) -> ServingStatus:
    """Return what the launcher says."""
    with stack.launcher() as launcher:
        return launcher.status()


def engine_processes(stack: ComposeProject) -> list[str]:
    """Return the command lines of vLLM's processes, as Docker sees them."""
    found = stack.container("serving").top(ps_args="-eo pid,args")
    lines = [" ".join(row) for row in found["Processes"]]
    return [line for line in lines if "/opt/engine/" in line or "VLLM" in line]


def test_serving_yields_while_a_run_trains(
    exclusive: ComposeProject, run: str, figures: dict[str, object]
) -> None:
    """No engine process, an answer that says why and for how long, and afterwards replies again."""
    lease = status(exclusive).lease
    assert lease is not None
    assert lease.holder == run
    assert engine_processes(exclusive) == []
    with exclusive.serving() as serving:
        answer = httpx.get(f"{serving.url}/v1/models", trust_env=False)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["error"]["code"] == "training"
    with exclusive.launcher() as launcher:
        assert launcher.alive("/health")
        assert any("lent" in reason for reason in launcher.readiness())
    with exclusive.trainer() as trainer:
        job = trainer.run_jobs.wait(run, patience=RUN_SECONDS)
    assert job.state is JobState.DONE, job.error
    began = time.monotonic()
    exclusive.served(BACK_SECONDS)
    figures["serving back after a run, seconds"] = round(time.monotonic() - began, 1)
    assert status(exclusive).lease is None
    assert engine_processes(exclusive)


def test_serving_comes_back_when_the_trainer_dies(
    exclusive: ComposeProject, run: str, figures: dict[str, object]
) -> None:
    """Killed in the middle, and not started for long: its lease ends by itself."""
    exclusive.container("trainer").kill("SIGKILL")
    began = time.monotonic()
    assert status(exclusive).state == "lent"
    exclusive.served(BACK_SECONDS)
    figures["serving back after a dead trainer, seconds"] = round(time.monotonic() - began, 1)
    with exclusive.serving() as serving:
        assert "base" in serving.models()
    exclusive.container("trainer").start()
    # It takes the lease again for the rest of the run, and gives it back.
    until(lambda: status(exclusive).state == "lent", LEND_SECONDS, exclusive.log_tails)
    with exclusive.trainer() as trainer:
        job = trainer.run_jobs.wait(run, patience=RUN_SECONDS)
    assert job.state is JobState.DONE, job.error
    exclusive.served(BACK_SECONDS)
