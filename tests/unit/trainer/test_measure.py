"""Tests of what is measured, as far as it needs no engine."""

import json
from pathlib import Path

import pytest

from trainer.engine.checkpoints import Checkpoint
from trainer.engine.files import RunFiles
from trainer.engine.measure import (
    last_turn,
    measure,
    prepare,
    read_arguments,
    spread,
)

ARGUMENTS = {
    "model_name_or_path": "/bases/starter",
    "template": "qwen3",
    "enable_thinking": False,
    "preserve_thinking": True,
    "cutoff_len": 512,
    "stage": "dpo",
    "learning_rate": 1e-3,
    "packing": True,
    "ref_model": "/bases/starter",
    "deepspeed": "zero3.json",
}


def test_rows_are_spread_over_the_whole_file() -> None:
    """Rows are sorted by style: the first ones would be of one style."""
    assert spread(list(range(100)), 4) == [0, 25, 50, 75]
    assert spread(list(range(3)), 8) == [0, 1, 2]
    assert spread([], 8) == []


def test_reply_is_the_last_run_of_learnt_tokens() -> None:
    """Earlier replies belong to the prompt."""
    row = {"input_ids": [1, 2, 3, 4, 5, 6], "labels": [-100, 2, -100, -100, 5, 6]}
    assert last_turn(row) == ([1, 2, 3, 4], [5, 6])


def test_chats_are_written_down_as_in_training(tmp_path: Path) -> None:
    """Template, thinking, cutoff and base are the run's; how it learnt is left out."""
    (tmp_path / "adapter_config.json").touch()
    made = read_arguments(tmp_path / "measure", tmp_path, ARGUMENTS)
    kept = ("template", "enable_thinking", "preserve_thinking", "cutoff_len", "model_name_or_path")
    assert {name: made[name] for name in kept} == {name: ARGUMENTS[name] for name in kept}
    assert (made["stage"], made["do_train"]) == ("sft", False)
    assert not {"learning_rate", "packing", "ref_model", "deepspeed"} & set(made)
    assert made["adapter_name_or_path"] == str(tmp_path)


def test_whole_weights_are_their_own_base(tmp_path: Path) -> None:
    """A full training leaves no adapter."""
    made = read_arguments(tmp_path / "measure", tmp_path, ARGUMENTS)
    assert made["model_name_or_path"] == str(tmp_path)
    assert made["finetuning_type"] == "full"


@pytest.mark.parametrize("plan", [{}, {"measure": None}, {"measure": {"rows": 0}}])
def test_nothing_is_measured_unasked(tmp_path: Path, plan: dict[str, object]) -> None:
    """No rows, no figures, and no file."""
    checkpoint = Checkpoint(1, tmp_path, None)
    assert measure(RunFiles(tmp_path), plan, checkpoint, ARGUMENTS) == {}
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("info", "found"),
    [
        ({"train": {}}, False),
        ({"eval": {"file_name": "rows.json", "ranking": True}}, False),
        ({"eval": {"file_name": "rows.json"}}, True),
        ({"eval": {"file_name": "no.json"}, "measure": {"file_name": "rows.json"}}, True),
    ],
)
def test_held_out_chats_are_measured_whatever_was_trained_on(
    tmp_path: Path, info: dict[str, object], found: bool
) -> None:
    """Pairs are none; a run without held-out chats has nothing to measure."""
    (tmp_path / "dataset_info.json").write_text(json.dumps(info), encoding="utf-8")
    (tmp_path / "rows.json").write_text("[1, 2, 3]", encoding="utf-8")
    folder = prepare(tmp_path, 2)
    assert (folder is not None) == found
    if folder:
        assert json.loads((folder / "rows.json").read_text(encoding="utf-8")) == [1, 2, 3]
        described = json.loads((folder / "dataset_info.json").read_text(encoding="utf-8"))
        assert described == {"measure": {"file_name": "rows.json"}}
