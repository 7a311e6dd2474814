"""The service dies, its engine lives: 20 times at random with the fake one, once with the real."""

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.job import JobState
from e2e.test_training import SEED, engine_python
from fakes.trainer_app import make_settings
from fakes.trainer_process import Census, TrainerProcess
from fakes.training import expect_whole_run, publish_rows
from repository import ROOT
from trainer.engine.checkpoints import newest_sealed_step

pytestmark = pytest.mark.engines
TRIALS = 20
LONG = {"max_steps": 160, "save_steps": 10}


@pytest.fixture
def trainer(tmp_path: Path) -> Iterator[TrainerProcess]:
    """A trainer with the fake engine that is not started yet."""
    environ = {"TORCH_FAKE_STEP_SECONDS": "0.02"}
    with TrainerProcess(make_settings(tmp_path), environ) as trainer:
        yield trainer


def test_service_killed_at_random_never_has_two_engines(trainer: TrainerProcess) -> None:
    """While it fits, starts, trains, exports or publishes: the run ends, with one engine at a time.

    Not adopted are only those that were killed before they had said who they are.
    """
    chance = random.Random(SEED)
    trainer.environ["TORCH_FAKE_STEP_SECONDS"] = "0.05"
    survived = adopted = 0
    trainer.start()
    for trial in range(TRIALS):
        with Census(trainer) as census:
            folder = trainer.submit(overrides={"max_steps": 120, "save_steps": 10})
            if trial % 2:  # on a busy machine most would die before their engine was there
                trainer.until(lambda folder=folder: folder.rank().get("step"))
            seconds = chance.uniform(0.0, 3.0)
            trainer.pause(seconds)
            living = trainer.engines()
            trainer.kill()
            trainer.start()
            job = trainer.finished(folder.run_id)
        said = f"trial {trial}, killed after {seconds:.2f} s, seed {SEED}"
        assert job.state is JobState.DONE, (job.error, said)
        assert census.most <= 1, said
        expect_whole_run(trainer.volume, folder.run_id)
        survived += bool(living) and census.pids == set(living)
        adopted += (folder.path / "adopted.json").exists()
        assert trainer.engines() == []
        assert trainer.zombies() == []
    assert survived >= adopted >= TRIALS // 4
    (trainer.log.parent / "trials.txt").write_text(f"{TRIALS} {survived} {adopted}\n")


def test_stopped_service_takes_its_engine_along(trainer: TrainerProcess) -> None:
    """SIGTERM is no accident: nothing trains on, and the next start resumes."""
    trainer.start()
    folder = trainer.submit(overrides=LONG)
    trainer.until(lambda: newest_sealed_step(folder.checkpoints))
    assert trainer.stop() == 0
    assert trainer.engines() == []
    trainer.start()
    assert trainer.finished(folder.run_id).state is JobState.DONE
    assert trainer.volume.run_record(folder.run_id).resumed_from


def test_engine_dies_with_a_service_that_may_not_leave_one(trainer: TrainerProcess) -> None:
    """TRAINER_ORPHAN_SECONDS=0, and every run that takes the GPU from serving."""
    trainer.environ["TRAINER_ORPHAN_SECONDS"] = "0"
    trainer.start()
    folder = trainer.submit(overrides=LONG)
    trainer.until(lambda: newest_sealed_step(folder.checkpoints))
    trainer.kill()
    trainer.until(lambda: not trainer.engines())
    assert folder.outcome() == {}
    trainer.start()
    assert trainer.finished(folder.run_id).state is JobState.DONE
    assert trainer.volume.run_record(folder.run_id).resumed_from


def test_interrupted_run_goes_on_before_a_more_urgent_one(trainer: TrainerProcess) -> None:
    """Else the urgent one's engine would start beside the one that still trains."""
    trainer.start()
    with Census(trainer) as census:
        first = trainer.submit(overrides=LONG)
        trainer.until(lambda: newest_sealed_step(first.checkpoints))
        # So long that the census sees its engine.
        second = trainer.submit(overrides={"max_steps": 50}, priority=9)
        trainer.kill()
        trainer.start()
        assert trainer.finished(second.run_id).state is JobState.DONE
        assert trainer.job(first.run_id).state is JobState.DONE
    assert (census.most, len(census.pids)) == (1, 2)


def test_ranks_of_torchrun_are_adopted_and_killed_together(trainer: TrainerProcess) -> None:
    """They lead sessions of their own, so no signal to a group reaches all of them."""
    trainer.environ["TRAINER_NPROC"] = "2"
    trainer.start()
    folder = trainer.submit(overrides=LONG)
    trainer.until(lambda: newest_sealed_step(folder.checkpoints))
    trainer.kill()
    trainer.start()
    trainer.until(lambda: (folder.path / "adopted.json").exists())
    assert trainer.stop() == 0
    assert trainer.processes() == []
    trainer.start()
    assert trainer.finished(folder.run_id).state is JobState.DONE
    assert trainer.volume.run_record(folder.run_id).world_size == 2


@pytest.fixture
def real(tmp_path: Path) -> Iterator[TrainerProcess]:
    """A trainer with the real engine and a random two-layer base."""
    (tmp_path / "fake").mkdir()
    made = make_settings(tmp_path / "fake")
    bases = tmp_path / "bases"
    command = [str(engine_python()), str(ROOT / "tests/e2e/tiny_base.py"), str(bases / "tiny")]
    subprocess.run(command, check=True, capture_output=True)
    places = {"data_dir": tmp_path / "data", "state_dir": tmp_path / "state", "models_dir": bases}
    settings = made.model_copy(update=places | {"engine_python": engine_python()})
    environ = {"TRAINER_REPLY_TOKENS": "8", "BASE_MODEL": "tiny", "TRAINER_MEASURE_ROWS": "2"}
    with TrainerProcess(settings, environ) as trainer:
        trainer.patience_seconds = 300.0
        publish_rows(trainer.volume)
        yield trainer


def test_real_engine_is_adopted(real: TrainerProcess) -> None:
    """LLaMA-Factory trains on while there is no service, and the next one publishes its model."""
    real.start()
    with Census(real) as census:
        overrides = {"max_steps": 200, "save_steps": 10, "eval_steps": 50}
        folder = real.submit(base_model="tiny", overrides=overrides, stop_when_flat=False)
        real.until(lambda: newest_sealed_step(folder.checkpoints))
        real.kill()
        step = newest_sealed_step(folder.checkpoints)
        real.until(lambda: newest_sealed_step(folder.checkpoints) > step)
        real.start()
        job = real.finished(folder.run_id)
    assert job.state is JobState.DONE, job.error
    assert (census.most, len(census.pids)) == (1, 1)
    assert real.volume.run_record(folder.run_id).resumed_from == []
    expect_whole_run(real.volume, folder.run_id)
