"""Tests of how the figures of a served model are found."""

from pathlib import Path

import pytest

from contracts.volume import MANIFEST, Volume
from datagen.trained import model_figures
from fakes.published import publish_adapter, tiny_base, write_current

METRICS = {"bleu_4": 61.5}


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    """Three models behind one name, of which the second answers; the last was not measured."""
    made = Volume(tmp_path / "data")
    base = tiny_base(tmp_path / "starter")
    for model_id, metrics in (("one", {}), ("two", METRICS), ("three", {"bleu_4": 3.0})):
        publish_adapter(made, base, model_id, manifest={"metrics": metrics})
    write_current(made, 3, {1: "one", 2: "two", 3: "three"}, 2)
    return made


@pytest.mark.parametrize(
    ("served", "model_id"),
    [("tonesmith", "two"), ("tonesmith.v3", "three"), ("tonesmith.v2", "two")],
)
def test_alias_and_version_lead_to_their_model(volume: Volume, served: str, model_id: str) -> None:
    """The alias to the promoted version, a versioned name to its own."""
    found = model_figures(volume, served)
    assert found is not None
    assert found.model_id == model_id


@pytest.mark.parametrize("served", ["base", "gpt-x", "tonesmith.v9", "tonesmith.v1", "../two"])
def test_other_names_have_no_figures(volume: Volume, served: str) -> None:
    """Not served by us, or nothing measured: a report does without."""
    assert model_figures(volume, served) is None


@pytest.mark.parametrize("damage", ["no current", "broken current", "no manifest"])
def test_missing_files_are_no_error(volume: Volume, damage: str) -> None:
    """An evaluation does not fail for a table that it can do without."""
    if damage == "no current":
        volume.current_path.unlink()
    elif damage == "broken current":
        volume.current_path.write_text("{", encoding="utf-8")
    else:
        (volume.model("two") / MANIFEST).unlink()
    assert model_figures(volume, "tonesmith") is None
