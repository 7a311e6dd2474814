"""Tests of the bases that an image brings along."""

from pathlib import Path

import pytest

from trainer.bases import install_bases


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder with one base and one thing that is none."""
    base = tmp_path / "shipped" / "starter"
    base.mkdir(parents=True)
    (base / "config.json").write_text("{}")
    (base / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "shipped" / "notes").mkdir()
    return tmp_path / "shipped"


def test_missing_base_is_copied_once(shelf: Path, tmp_path: Path) -> None:
    """A base that is there stays as it is, also when the image brings another."""
    target = tmp_path / "models"
    target.mkdir()
    assert install_bases(shelf, target) == ["starter"]
    assert (target / "starter" / "model.safetensors").read_bytes() == b"weights"
    (shelf / "starter" / "model.safetensors").write_bytes(b"newer")
    assert install_bases(shelf, target) == []
    assert (target / "starter" / "model.safetensors").read_bytes() == b"weights"


def test_copy_that_was_killed_is_made_again(shelf: Path, tmp_path: Path) -> None:
    """Half a base is never seen under its name."""
    target = tmp_path / "models"
    (target / ".tmp-starter").mkdir(parents=True)
    (target / ".tmp-starter" / "half").write_bytes(b"")
    assert install_bases(shelf, target) == ["starter"]
    assert [path.name for path in target.iterdir()] == ["starter"]
    assert not (target / "starter" / "half").exists()
