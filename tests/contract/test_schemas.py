"""The committed JSON Schemas are those of the models, so that a contract change shows in review."""

import json
from pathlib import Path

import pytest

from contracts.schemas import FOLDER, MODELS, main, stale


def test_committed_schemas_are_fresh() -> None:
    """After a change of a model: python -m contracts.schemas."""
    assert stale(FOLDER) == []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_schema_says_what_each_document_is(model: type) -> None:
    """A schema has a title and a description for those who read it without the code."""
    schema = json.loads((FOLDER / f"{model.__name__}.json").read_text(encoding="utf-8"))
    assert schema["title"] == model.__name__
    assert schema["description"]


def test_check_fails_when_a_schema_is_changed_missing_or_foreign(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each kind of difference is named, and writing again mends all of them."""
    folder = ["--folder", str(tmp_path)]
    assert main(folder) == 0
    assert main([*folder, "--check"]) == 0
    (tmp_path / "Job.json").unlink()
    (tmp_path / "Style.json").write_text("{}", encoding="utf-8")
    (tmp_path / "Old.json").write_text("{}", encoding="utf-8")
    assert main([*folder, "--check"]) == 1
    assert capsys.readouterr().err.count("is stale") == 3
    assert main(folder) == 0
    assert stale(tmp_path) == []
