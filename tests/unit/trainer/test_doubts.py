"""Doubts: each weakness of a dataset is one sentence, and a sound dataset has none."""

from pathlib import Path

import pytest

from contracts.dataset import DatasetManifest
from contracts.volume import Volume
from fakes.training import STYLE, publish_rows, rows
from trainer.doubts import length_warnings, row_warnings, style_counts

FIT = {"lengths": {"max": 700}, "cutoff_len": 512}


@pytest.fixture
def manifest(tmp_path: Path) -> DatasetManifest:
    """A dataset with rows enough."""
    counts = {"train": 400, "eval": 40}
    return publish_rows(Volume(tmp_path)).model_copy(update={"rows": counts})


def test_sound_dataset_has_no_doubts(manifest: DatasetManifest) -> None:
    """Nothing is said for the sake of saying something."""
    assert row_warnings(manifest, {"tsundere": 200, "gentle": 200}) == []
    assert row_warnings(manifest, None) == []


@pytest.mark.parametrize(
    ("changes", "by_style", "said"),
    [
        ({"rows": {"train": 400, "eval": 0}}, None, "no rows are held out"),
        ({"rows": {"train": 400, "eval": 5}}, None, "5 held-out rows"),
        ({"rows": {"train": 40, "eval": 40}}, None, "40 for 1 styles"),
        ({}, {"tsundere": 360, "gentle": 40}, "gentle 40"),
        ({}, {"tsundere": 300, "gentle": 60}, "tsundere has 300 rows and gentle 60"),
        ({}, {"tsundere": 400, "gentle": 0}, "gentle 0"),
        ({"status": "incomplete"}, None, "incomplete"),
    ],
)
def test_weakness_of_the_rows_is_named(
    manifest: DatasetManifest,
    changes: dict[str, object],
    by_style: dict[str, int] | None,
    said: str,
) -> None:
    """With the numbers that show it."""
    assert any(said in one for one in row_warnings(manifest.model_copy(update=changes), by_style))


@pytest.mark.parametrize(
    ("fit", "cutoff", "positions", "said"),
    [
        (FIT, 704, 2048, "cutoff_len 704 keeps them whole"),
        (FIT, None, 512, "the base reads 512"),
        ({**FIT, "dropped_rows": 3}, None, 2048, "3 rows have no reply"),
    ],
)
def test_what_is_lost_of_the_rows_is_told(
    fit: dict[str, object], cutoff: int | None, positions: int, said: str
) -> None:
    """Cut rows and dropped ones."""
    (found,) = length_warnings(fit, cutoff, positions)
    assert said in found


def test_rows_that_fit_lose_nothing() -> None:
    """And lengths that are not known are not doubted."""
    assert length_warnings({"lengths": {"max": 100}, "cutoff_len": 512}, None, 2048) == []
    assert length_warnings({}, None, 0) == []


def test_rows_are_counted_by_style(manifest: DatasetManifest) -> None:
    """By their system prompt; a row of no known style is nobody's."""
    made = rows(6)
    assert style_counts(made, manifest.styles) == {STYLE["id"]: 6}
    assert style_counts([{**made[0], "system": ""}], manifest.styles) == {STYLE["id"]: 0}
