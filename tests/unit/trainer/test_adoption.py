"""Engines that outlive their service: adopted by the next one, or gone soon. Never two."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.job import JobState
from fakes.trainer_app import make_settings
from fakes.trainer_process import Census, TrainerProcess
from fakes.training import expect_whole_run
from trainer.engine.checkpoints import newest_sealed_step
from trainer.engine.files import read_json
from trainer.runfolder import RunFolder

STEPS = {"max_steps": 40, "save_steps": 10}


@pytest.fixture
def trainer(tmp_path: Path) -> Iterator[TrainerProcess]:
    """A trainer that is not started yet; its engine waits at step 30 until it may go on."""
    environ = {"FAILPOINT": "fake.waits@30"}
    with TrainerProcess(make_settings(tmp_path), environ) as trainer:
        yield trainer


def adopted_by(folder: RunFolder) -> int:
    """Return the service that has adopted the engine of a run; 0 where none has."""
    document = read_json(folder.path / "adopted.json")
    return int(document["pid"]) if document else 0


def test_engine_that_survived_its_service_is_adopted(trainer: TrainerProcess) -> None:
    """kill -9 of the service alone, twice: the same engine ends the run, without a step lost."""
    trainer.start()
    with Census(trainer) as census:
        folder = trainer.submit(overrides=STEPS)
        trainer.until(lambda: newest_sealed_step(folder.checkpoints))
        for _ in range(2):
            trainer.kill()
            trainer.start()
            trainer.until(lambda: adopted_by(folder) == trainer.pid)
        (folder.path / "go-on").touch()
        job = trainer.finished(folder.run_id)
    assert job.state is JobState.DONE, job.error
    assert (census.most, len(census.pids)) == (1, 1)
    assert census.looks > 10
    record = trainer.volume.run_record(folder.run_id)
    assert record.resumed_from == []
    assert len(record.notes) == 1
    expect_whole_run(trainer.volume, folder.run_id)
    assert trainer.engines() == []


def test_engine_that_ended_without_a_service_has_not_trained_in_vain(
    trainer: TrainerProcess,
) -> None:
    """What it exported is published; no second engine starts."""
    trainer.start()
    with Census(trainer) as census:
        folder = trainer.submit(overrides=STEPS)
        trainer.until(lambda: newest_sealed_step(folder.checkpoints))
        trainer.kill()
        (folder.path / "go-on").touch()
        trainer.until(lambda: not trainer.engines())
        assert folder.outcome()["state"] == "done"
        trainer.start()
        assert trainer.finished(folder.run_id).state is JobState.DONE
    assert len(census.pids) == 1
    expect_whole_run(trainer.volume, folder.run_id)


def test_adopted_engine_can_be_cancelled(trainer: TrainerProcess) -> None:
    """It saves first, and its checkpoint is one to resume from."""
    trainer.start()
    folder = trainer.submit(overrides={"max_steps": 40, "save_steps": 40})
    trainer.until(lambda: folder.rank().get("step") == 29)
    trainer.kill()
    trainer.start()
    trainer.until(lambda: adopted_by(folder) == trainer.pid)
    trainer.cancel(folder.run_id)
    assert trainer.finished(folder.run_id).state is JobState.CANCELLED
    assert newest_sealed_step(folder.checkpoints) > 0
    assert trainer.engines() == []


def test_engine_that_nobody_adopts_saves_and_ends(trainer: TrainerProcess) -> None:
    """The run goes on from there as soon as there is a service again."""
    trainer.environ["TRAINER_ORPHAN_SECONDS"] = "0.3"
    trainer.start()
    folder = trainer.submit(overrides=STEPS)
    trainer.until(lambda: newest_sealed_step(folder.checkpoints))
    trainer.kill()
    trainer.until(lambda: not trainer.engines())
    assert folder.outcome()["state"] == "cancelled"
    (folder.path / "go-on").touch()
    trainer.start()
    assert trainer.finished(folder.run_id).state is JobState.DONE
    assert trainer.volume.run_record(folder.run_id).resumed_from
