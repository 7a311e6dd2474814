"""Runs of several processes, with the fake engine below a fake torchrun."""

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from contracts.job import Job, JobState
from contracts.volume import Volume
from fakes.trainer_app import make_settings
from fakes.training import DATASET, expect_whole_run
from trainer.config import Settings
from trainer.runfolder import RunFolder

Wait = Callable[[str], Job]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of two processes."""
    return make_settings(tmp_path).model_copy(update={"nproc": 2})


def train(client: TestClient, wait: Wait) -> Job:
    """Run twelve steps and return the job."""
    body = {"dataset_id": DATASET, "overrides": {"max_steps": 12, "save_steps": 4}}
    return wait(f"/runs/jobs/{client.post('/runs', json=body).json()['id']}")


def test_record_knows_how_many_trained_together(
    client: TestClient, wait: Wait, volume: Volume
) -> None:
    """Each rank has a file of its own; an update's rows are shared among them."""
    job = train(client, wait)
    assert job.state is JobState.DONE, job.error
    record = volume.run_record(job.id)
    assert record.world_size == 2
    assert [rank["rank"] for rank in RunFolder(volume, job.id).ranks()] == [0, 1]
    expect_whole_run(volume, job.id)


def test_rank_that_is_killed_is_started_again_with_the_others(
    client: TestClient, wait: Wait, environ: dict[str, str], volume: Volume
) -> None:
    """torchrun ends with status 1; its words tell that a signal was the reason."""
    environ["FAILPOINT"] = "fake.killed@6"
    job = train(client, wait)
    assert job.error
    assert "killed by SIGKILL" in job.error.message
    assert volume.run_record(job.id).resumed_from == [4]


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        ("fake.crash", "engine_failed", "RuntimeError: the engine crashed"),
        ("fake.memory@0", "out_of_memory", "CUDA out of memory"),
    ],
)
def test_last_words_are_the_ranks_and_not_torchruns(
    client: TestClient, wait: Wait, environ: dict[str, str], fault: str, code: str, words: str
) -> None:
    """A report of how its ranks ended says nothing about why."""
    environ["FAILPOINT"] = fault
    job = train(client, wait)
    assert job.error
    assert job.error.code == code
    assert words in job.error.message
