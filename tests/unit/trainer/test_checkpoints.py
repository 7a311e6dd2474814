"""Checkpoints: what was not finished, or was changed since, is never resumed from."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from trainer.engine import checkpoints
from trainer.engine.checkpoints import MANIFEST, Checkpoint


def write(folder: Path, step: int, *, eval_loss: float | None = None, seal: bool = True) -> Path:
    """Write a checkpoint of three files."""
    path = folder / f"checkpoint-{step}"
    path.mkdir(parents=True)
    for name in ("adapter_model.safetensors", "optimizer.pt", "trainer_state.json"):
        (path / name).write_bytes(f"{name} of step {step}".encode() * 9)
    if seal:
        checkpoints.seal(path, step, eval_loss)
    return path


def steps(found: list[Checkpoint]) -> list[int]:
    """Return the steps of checkpoints."""
    return [one.step for one in found]


def test_newest_comes_first_by_number(tmp_path: Path) -> None:
    """1000 is newer than 200, whatever the alphabet says."""
    for step in (200, 1000, 50):
        write(tmp_path, step)
    assert steps(checkpoints.verified(tmp_path)) == [1000, 200, 50]
    assert checkpoints.newest_sealed_step(tmp_path) == 1000


FILES = ["adapter_model.safetensors", "optimizer.pt", "trainer_state.json", MANIFEST]


def cut(share: float) -> Callable[[Path], None]:
    """Return a damage that keeps a share of a file."""
    return lambda path: os.truncate(path, int(path.stat().st_size * share))


def flip(path: Path) -> None:
    """Change one byte, not the size."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "damage",
    [cut(0), cut(0.01), cut(0.5), cut(0.99), flip, Path.unlink],
    ids=["empty", "1%", "half", "99%", "flipped", "gone"],
)
def test_damaged_checkpoint_is_quarantined(
    tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    """Any damage to any file is found; the checkpoint before is the one to resume from."""
    write(tmp_path, 4)
    damage(write(tmp_path, 8) / name)
    said = checkpoints.quarantine(tmp_path)
    assert len(said) == 1
    assert said[0].startswith("checkpoint-8: ")
    assert steps(checkpoints.verified(tmp_path)) == [4]
    assert [step for step, _ in checkpoints.numbered(tmp_path)] == [4]


def test_empty_folder_with_a_high_number_wins_nothing(tmp_path: Path) -> None:
    """The Trainer itself would resume from it."""
    write(tmp_path, 4)
    (tmp_path / "checkpoint-999999").mkdir()
    assert checkpoints.quarantine(tmp_path) == ["checkpoint-999999: it was never finished"]
    assert (tmp_path / "quarantined-checkpoint-999999").is_dir()


def test_copied_checkpoint_of_another_step_is_refused(tmp_path: Path) -> None:
    """A manifest belongs to the folder that it was written in."""
    shutil.copytree(write(tmp_path, 4), tmp_path / "checkpoint-8")
    assert "another step" in checkpoints.quarantine(tmp_path)[0]


def test_quarantine_twice_keeps_both(tmp_path: Path) -> None:
    """The same step may fail twice."""
    for _ in range(2):
        write(tmp_path, 8, seal=False)
        checkpoints.quarantine(tmp_path)
    assert len(list(tmp_path.glob("quarantined-*"))) == 2


def test_rotation_keeps_the_newest_and_the_best(tmp_path: Path) -> None:
    """The checkpoint with the lowest held-out loss is never rotated away."""
    for step, loss in ((1, 3.0), (2, 1.0), (3, 2.0), (4, 2.5), (5, None)):
        write(tmp_path, step, eval_loss=loss)
        checkpoints.rotate(tmp_path, 2)
    assert steps(checkpoints.verified(tmp_path)) == [5, 4, 2]
    assert checkpoints.best(checkpoints.verified(tmp_path)).step == 2


def test_rotation_goes_by_step_and_not_by_time(tmp_path: Path) -> None:
    """A clock that steps back does not cost the newest checkpoint."""
    for step, age in ((1, 0), (2, 1800), (3, 3600)):
        path = write(tmp_path, step)
        os.utime(path, (1e9 - age, 1e9 - age))
    checkpoints.rotate(tmp_path, 2)
    assert steps(checkpoints.verified(tmp_path)) == [3, 2]


def test_rotation_keeps_the_last_good_one_while_a_newer_is_half_written(tmp_path: Path) -> None:
    """What is not sealed does not count as newer."""
    write(tmp_path, 4)
    write(tmp_path, 8, seal=False)
    checkpoints.rotate(tmp_path, 1)
    assert steps(checkpoints.verified(tmp_path)) == [4]


def test_newest_is_best_where_nothing_was_measured(tmp_path: Path) -> None:
    """Without held-out rows the last step is the model."""
    for step in (4, 8):
        write(tmp_path, step)
    assert checkpoints.best(checkpoints.verified(tmp_path)).step == 8


def test_interrupted_deletion_is_finished(tmp_path: Path) -> None:
    """A kill while a checkpoint is deleted leaves nothing that looks like one."""
    write(tmp_path, 4).rename(tmp_path / ".deleted-checkpoint-4")
    checkpoints.sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []
    checkpoints.sweep(tmp_path / "nothing")


def test_steps_are_read_from_the_trainers_own_state(tmp_path: Path) -> None:
    """They say whether training is over."""
    (tmp_path / "trainer_state.json").write_text('{"global_step": 8, "max_steps": 12}')
    assert checkpoints.trained_steps(tmp_path) == (8, 12)
