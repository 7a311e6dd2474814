"""Checkpoints: what was not finished, or was changed since, is never resumed from."""

import json
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


def emptied(path: Path) -> None:
    """Leave the folder and nothing in it."""
    shutil.rmtree(path)
    path.mkdir()


def without_manifest(path: Path) -> None:
    """The kill came just before the last file."""
    (path / MANIFEST).unlink()


def better_loss(path: Path) -> None:
    """Somebody wrote a lower loss into the manifest."""
    text = (path / MANIFEST).read_text()
    (path / MANIFEST).write_text(text.replace('"eval_loss": 2.0', '"eval_loss": 0.1'))


def other_step(path: Path) -> None:
    """The folder was renamed, or copied from another step."""
    shutil.rmtree(path)
    shutil.copytree(path.with_name("checkpoint-4"), path)


def swapped(path: Path) -> None:
    """Two files got each other's content."""
    first, second = path / "optimizer.pt", path / "trainer_state.json"
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)


def folder_for_a_file(path: Path) -> None:
    """A file became a folder."""
    (path / "optimizer.pt").unlink()
    (path / "optimizer.pt").mkdir()


def longer(path: Path) -> None:
    """Something was appended."""
    with (path / "optimizer.pt").open("ab") as file:
        file.write(b"x")


def same_size_zeros(path: Path) -> None:
    """The file has its length but not its blocks, as after a power cut."""
    size = (path / "optimizer.pt").stat().st_size
    (path / "optimizer.pt").write_bytes(bytes(size))


def dangling_link(path: Path) -> None:
    """A link to nowhere took the file's place."""
    (path / "optimizer.pt").unlink()
    (path / "optimizer.pt").symlink_to("nowhere")


def manifest_is_a_list(path: Path) -> None:
    """It is JSON, and no manifest."""
    (path / MANIFEST).write_text("[]")


WHOLE_FOLDER = [
    emptied,
    without_manifest,
    better_loss,
    other_step,
    swapped,
    folder_for_a_file,
    longer,
    same_size_zeros,
    dangling_link,
    manifest_is_a_list,
]


@pytest.mark.parametrize("damage", WHOLE_FOLDER, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("clock", [0, -3600, 86_400], ids=["", "hour back", "day on"])
def test_newest_good_one_is_resumed_from_whatever_the_damage_and_the_clock(
    tmp_path: Path, damage: Callable[[Path], None], clock: int
) -> None:
    """Nothing is believed that the seal does not cover, and no time stamp at all."""
    for step, loss in ((2, 1.0), (4, 1.5), (6, 2.0)):
        write(tmp_path, step, eval_loss=loss)
    damage(tmp_path / "checkpoint-6")
    if clock:
        now = (tmp_path / "checkpoint-2").stat().st_mtime
        os.utime(tmp_path / "checkpoint-4", (now + clock, now + clock))
    assert len(checkpoints.quarantine(tmp_path)) == 1
    assert [step for step, _ in checkpoints.numbered(tmp_path)] == [4, 2]
    assert checkpoints.best(checkpoints.verified(tmp_path)).step == 2


def test_checkpoint_of_an_earlier_version_is_still_good(tmp_path: Path) -> None:
    """A run goes on after an upgrade: manifests had no seal of their own before."""
    path = write(tmp_path, 4, eval_loss=1.0)
    manifest = json.loads((path / MANIFEST).read_text())
    old = {name: manifest[name] for name in ("step", "eval_loss", "files")}
    (path / MANIFEST).write_text(json.dumps(old))
    assert steps(checkpoints.verified(tmp_path)) == [4]


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
