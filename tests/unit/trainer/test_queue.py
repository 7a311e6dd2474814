"""Two runs asked for at once, by the API and by the command line: never two engines."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.job import JobState
from fakes.trainer_app import make_settings
from fakes.trainer_process import Census, TrainerProcess
from fakes.training import DATASET
from repository import ROOT

CLI_SOURCES = ("libs/client/src", "cli/src", "services/datagen/src")


@pytest.fixture
def trainer(tmp_path: Path) -> Iterator[TrainerProcess]:
    """A trainer whose fake engine waits at step 10 until it may go on."""
    environ = {"FAILPOINT": "fake.waits@10"}
    with TrainerProcess(make_settings(tmp_path), environ) as trainer:
        trainer.start()
        yield trainer


def test_two_runs_asked_for_at_once_run_one_after_the_other(trainer: TrainerProcess) -> None:
    """One runs, the other waits, whoever came first; both end with a model."""
    paths = [trainer.environ["PYTHONPATH"], *(str(ROOT / source) for source in CLI_SOURCES)]
    command = [sys.executable, "-m", "tonesmith", "train", "--dataset", DATASET, "--steps", "20"]
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(trainer.log.parent),
        "PYTHONPATH": os.pathsep.join(paths),
        "TRAINER_URL": trainer.url,
    }
    with Census(trainer) as census:
        with subprocess.Popen(
            [*command, "--json"], env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as line:
            trainer.submit(overrides={"max_steps": 20})
            trainer.until(lambda: sorted(trainer.states()) == ["queued", "running"])
            trainer.until(lambda: len(census.pids) == 1)
            running = trainer.states().index(JobState.RUNNING)
            first = trainer.folders().pop(running)
            (first.path / "go-on").touch()
            trainer.until(lambda: len(census.pids) == 2)  # the other waits to be seen
            for folder in trainer.folders():
                (folder.path / "go-on").touch()
            trainer.until(lambda: set(trainer.states()) == {JobState.DONE})
            assert line.stdout
            said = line.stdout.read()
        assert line.returncode == 0, said
    assert len(trainer.states()) == 2
    assert (census.most, len(census.pids)) == (1, 2)
