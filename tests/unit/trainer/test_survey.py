"""The survey's key and figures; that it counts as the engine does is an engines test."""

import json
from pathlib import Path
from typing import Any

import pytest

from fakes.surveyed import surveyed
from trainer.engine.survey import data_files, described_by, key, summary, survey


def test_figures_follow_from_the_lengths() -> None:
    """Quantiles are lengths that rows really have."""
    found = summary([10, 20, 20, 40], answer_tokens=33, read=5)
    assert (found["rows"], found["mean"], found["p50"], found["max"]) == (4, 22.5, 20, 40)
    assert found["histogram"] == [[10, 1], [20, 2], [40, 1]]
    assert (found["answer_tokens"], found["refused"]) == (33, 1)


def test_no_row_at_all_is_an_error() -> None:
    """A run without rows cannot be fitted."""
    with pytest.raises(ValueError, match="none of 3 rows"):
        summary([], 0, 3)


def test_a_survey_is_taken_from_its_cache(tmp_path: Path) -> None:
    """The second question costs no import of the engine."""
    request = surveyed(tmp_path, [10, 20])
    assert survey(request["arguments"], None, Path(request["cache"]))["rows"] == 2


@pytest.mark.parametrize(
    "change",
    [{"template": "qwen3"}, {"mask_history": True}, {"stage": "kto"}, {"enable_thinking": True}],
)
def test_what_changes_the_encoding_changes_the_key(tmp_path: Path, change: dict[str, Any]) -> None:
    """Another template is another survey; another batch is not."""
    arguments = surveyed(tmp_path, [10])["arguments"]
    described = described_by(arguments)
    assert key(arguments | change, described) != key(arguments, described)
    assert key(arguments | {"cutoff_len": 7}, described) == key(arguments, described)


def test_other_rows_or_another_tokenizer_change_the_key(tmp_path: Path) -> None:
    """The key holds digests of the files, not their names or times."""
    arguments = surveyed(tmp_path, [10])["arguments"]
    described = described_by(arguments)
    before = key(arguments, described)
    rows = Path(arguments["dataset_dir"]) / "train.json"
    rows.write_text(json.dumps([11]))
    changed = key(arguments, described)
    (Path(arguments["model_name_or_path"]) / "tokenizer.json").write_text("[]")
    assert len({before, changed, key(arguments, described)}) == 3


def test_missing_rows_are_named(tmp_path: Path) -> None:
    """The message says which file is not there, without the path to it."""
    arguments = surveyed(tmp_path, [10])["arguments"]
    (Path(arguments["dataset_dir"]) / "train.json").unlink()
    with pytest.raises(ValueError, match=r"missing: train\.json"):
        data_files(arguments, described_by(arguments))
    (Path(arguments["dataset_dir"]) / "dataset_info.json").unlink()
    with pytest.raises(ValueError, match="dataset_info"):
        described_by(arguments)
