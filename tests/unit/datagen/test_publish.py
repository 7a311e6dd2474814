"""Tests of what a published dataset holds."""

import json
from pathlib import Path
from typing import Any

import pytest

from contracts.dataset import Conditioning, Counts, DatasetManifest
from contracts.durable import digest_differences
from contracts.style import StyleVersion
from contracts.volume import Volume
from datagen.publish import Description, publish_dataset
from fakes.styled_dataset import STYLES, samples

NAMES = ("train", "eval", "preference", "preference-eval")


def published(root: Path, styles: list[str]) -> tuple[DatasetManifest, dict[str, Any]]:
    """Publish rows of these styles; return the manifest and every file of rows."""
    volume = Volume(root)
    description = Description(
        source="generated",
        status="complete",
        conditioning=Conditioning.SYSTEM,
        eval_ratio=0.2,
        seed=7,
        styles=[StyleVersion(version=1, style=STYLES[name]) for name in styles],
        counts=Counts(),
    )
    rows = [sample for sample in samples() if sample.style in styles]
    manifest = publish_dataset(volume, "made", rows, description)
    folder = volume.dataset("made")
    assert not digest_differences(folder, manifest.files)
    files = {
        name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        for name in NAMES
        if f"{name}.json" in manifest.files
    }
    return manifest, files


def test_no_text_of_a_held_out_pair_is_trained_on(tmp_path: Path) -> None:
    """Questions and both replies of the evaluation's pairs are in no training file."""
    manifest, files = published(tmp_path, list(STYLES))
    assert manifest.rows == {name: len(files[name]) for name in NAMES}
    seen = json.dumps([files["train"], files["preference"]], ensure_ascii=False)
    replies = {row["output"] for row in files["eval"]}
    for row in files["preference-eval"]:
        assert row["instruction"] not in seen
        assert {row["chosen"], row["rejected"]} <= replies
        assert json.dumps(row["chosen"], ensure_ascii=False) not in seen


@pytest.mark.parametrize("style", ["gentle", "dry-butler"])
def test_single_style_has_no_preference_files(tmp_path: Path, style: str) -> None:
    """No pairs: no file, and no entry in the description."""
    manifest, files = published(tmp_path, [style])
    assert set(files) == set(manifest.rows) == {"train", "eval"}
    info = json.loads((tmp_path / "datasets/made/dataset_info.json").read_text(encoding="utf-8"))
    assert set(info) == {"train", "eval"}


def test_same_rows_give_the_same_files(tmp_path: Path) -> None:
    """A dataset published again, from its journals, is the same to the byte."""
    first, _ = published(tmp_path / "one", list(STYLES))
    second, _ = published(tmp_path / "two", list(STYLES))
    assert first.files == second.files
