"""Runs whose engine runs out of memory, with the fake engine."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from contracts.job import Job, JobState
from contracts.volume import Volume
from fakes.training import DATASET, expect_whole_run
from trainer.runfolder import RunFolder

Wait = Callable[[str], Job]


def train(client: TestClient, wait: Wait, **overrides: Any) -> Job:
    """Run twelve steps and return the job."""
    steps = {"max_steps": 12, "save_steps": 4, "eval_steps": 4}
    body = {"dataset_id": DATASET, "overrides": steps | overrides}
    return wait(f"/runs/jobs/{client.post('/runs', json=body).json()['id']}")


@pytest.mark.parametrize("fault", ["fake.memory@4", "fake.full@4"], ids=["traceback", "outcome"])
def test_run_goes_on_smaller_from_the_last_checkpoint(
    client: TestClient, wait: Wait, environ: dict[str, str], volume: Volume, fault: str
) -> None:
    """An update keeps its rows, the record says what was done, and the model comes out."""
    environ["FAILPOINT"] = fault
    job = train(client, wait, per_device_train_batch_size=16, gradient_accumulation_steps=2)
    assert job.state is JobState.DONE, job.error
    arguments = RunFolder(volume, job.id).arguments()
    assert arguments["per_device_train_batch_size"] == 4
    assert arguments["gradient_accumulation_steps"] == 8
    record = volume.run_record(job.id)
    assert record.fit
    assert (record.fit.micro_batch, record.fit.accumulation) == (4, 8)
    assert record.fit.rows_per_update == 32
    assert len(record.notes) == 2
    assert "with micro-batches of 16: went on" in record.notes[0]
    assert "as many rows as before" in record.notes[1]
    if "memory" in fault:  # it died at step 6, behind the checkpoint of step 4
        assert record.resumed_from == [4]
    expect_whole_run(volume, job.id)


def test_run_that_fits_nowhere_fails_with_what_to_do(
    client: TestClient, wait: Wait, environ: dict[str, str]
) -> None:
    """One row at a time and activations computed twice are the least that there is."""
    environ["FAILPOINT"] = "fake.memory@0"
    job = train(client, wait, per_device_train_batch_size=2)
    assert job.state is JobState.FAILED
    assert job.error
    assert (job.error.code, job.error.hint) == (
        "out_of_memory",
        "lower cutoff_len or lora_rank, take the recipe qlora, or a smaller base",
    )
    assert "one row already" in job.error.message


def test_back_off_ends_after_three(
    client: TestClient, wait: Wait, environ: dict[str, str], volume: Volume
) -> None:
    """An eighth that does not fit is no matter of the batch; `resume` goes on with what is left."""
    environ["FAILPOINT"] = "fake.full@1"
    job = train(client, wait, per_device_train_batch_size=32)
    assert job.state is JobState.FAILED
    assert RunFolder(volume, job.id).arguments()["per_device_train_batch_size"] == 4
    client.post(f"/runs/jobs/{job.id}/resume")
    assert wait(f"/runs/jobs/{job.id}").state is JobState.DONE
    assert RunFolder(volume, job.id).arguments()["per_device_train_batch_size"] == 1


def test_kill_from_outside_keeps_the_batch(
    client: TestClient, wait: Wait, environ: dict[str, str], volume: Volume
) -> None:
    """The machine was short of memory, or an operator killed it: the card was not."""
    environ["FAILPOINT"] = "fake.killed@6"
    job = train(client, wait, per_device_train_batch_size=16)
    assert RunFolder(volume, job.id).arguments()["per_device_train_batch_size"] == 16
    assert volume.run_record(job.id).notes == []
