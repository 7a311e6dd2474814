"""From an advice to the command and the runs that follow it."""

import shlex
from typing import Any

import pytest

from contracts.advice import Advice, AdviceRequest
from fakes.tonesmith_services import ADVICE
from tonesmith.advised import curve_requests, train_command
from trainer.curve import fractions

REQUEST = AdviceRequest(dataset_id="demo-1", base_model="Qwen3 1.7B")


def advice(**overrides: Any) -> Advice:
    """Return an advice with these values."""
    return Advice.model_validate(ADVICE | {"overrides": overrides})


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"num_train_epochs": 3.0}, ["--epochs", "3"]),
        ({"batching": "grouped"}, ["--batching", "grouped"]),
        ({"learning_rate": 1e-4}, ["--set", "learning_rate=0.0001"]),
        ({"learning_rate": 1.25e-7}, ["--set", "learning_rate=1.25e-07"]),
        ({"cutoff_len": 512, "seed": 3}, ["--set", "cutoff_len=512", "--seed", "3"]),
        ({}, []),
    ],
)
def test_command_holds_every_value_and_no_other(
    overrides: dict[str, Any], words: list[str]
) -> None:
    """It can be pasted into a shell, whatever the base is called."""
    command = shlex.split(train_command(REQUEST, advice(**overrides)))
    start = ["tonesmith", "train", "--dataset", "demo-1", "--base", "Qwen3 1.7B"]
    assert command == [*start, "--recipe", "qlora", *words]


def test_curve_is_three_runs_that_differ_in_their_rows_only() -> None:
    """They make no model, and wait behind everything else."""
    runs = curve_requests(REQUEST, advice(cutoff_len=512, max_steps=9))
    assert [run.data_fraction for run in runs] == [0.25, 0.5, 1.0]
    others = {run.model_copy(update={"data_fraction": 1.0}).model_dump_json() for run in runs}
    assert len(others) == 1
    assert not any(run.publish for run in runs)
    assert {run.priority for run in runs} == {-1}
    assert runs[0].overrides.cutoff_len == 512


def test_part_of_the_rows_is_read_more_often() -> None:
    """So that each run of a curve has as many steps; a limit of ours is kept."""
    runs = curve_requests(REQUEST, advice(num_train_epochs=3.0))
    assert [run.overrides.num_train_epochs for run in runs] == [12.0, 6.0, 3.0]
    most = curve_requests(REQUEST, advice(num_train_epochs=600.0))
    assert [run.overrides.num_train_epochs for run in most] == [1000.0, 1000.0, 600.0]


def test_curve_is_the_trainers() -> None:
    """Both sides know the same three parts, and ask for the same runs."""
    mine = curve_requests(REQUEST, advice(num_train_epochs=3.0))
    whole = mine[-1].model_copy(update={"priority": 0, "publish": True})
    assert fractions(whole, 3.0) == mine
