"""Room for the next checkpoint: what is spared, what is deleted, and when it is not enough."""

import errno
from pathlib import Path

import pytest

from trainer.engine import checkpoints, storage


def write(folder: Path, step: int, eval_loss: float, size: int = 1000) -> Path:
    """Write and seal a checkpoint of one file."""
    path = folder / f"checkpoint-{step}"
    path.mkdir(parents=True)
    (path / "optimizer.pt").write_bytes(bytes(size))
    checkpoints.seal(path, step, eval_loss)
    return path


def bytes_in(folder: Path) -> int:
    """Return the bytes of all files below `folder`."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_next_checkpoint_takes_as_much_as_the_newest(tmp_path: Path) -> None:
    """Before there is one, weights, moments and state files are estimated."""
    estimate = storage.needed_bytes(tmp_path, weights=10, weight_bytes=20)
    assert estimate == 20 + 80 + storage.OTHER_BYTES
    write(tmp_path, 4, 1.0, size=500)
    newest = write(tmp_path, 8, 2.0)
    assert storage.needed_bytes(tmp_path, 10, 20) == bytes_in(newest)


def test_nothing_is_deleted_while_there_is_room(tmp_path: Path) -> None:
    """Three checkpoints and a quarantined one stay."""
    for step in (4, 8, 12):
        write(tmp_path, step, float(step))
    (tmp_path / "quarantined-checkpoint-2").mkdir()
    assert storage.make_room(tmp_path, 100, "eval_loss", lambda _: 100) == ""
    assert len(list(tmp_path.iterdir())) == 4


def test_rotation_goes_further_where_there_is_no_room(tmp_path: Path) -> None:
    """The newest and the best stay; what was quarantined goes too."""
    for step, loss in ((4, 3.0), (8, 1.0), (12, 2.0), (16, 2.5)):
        write(tmp_path, step, loss)
    (tmp_path / "quarantined-checkpoint-2").mkdir()
    whole = bytes_in(tmp_path)
    room = storage.make_room(
        tmp_path, 1500, "eval_loss", lambda _: 500 + whole - bytes_in(tmp_path)
    )
    assert room == ""
    assert [one.step for one in checkpoints.verified(tmp_path)] == [16, 8]
    assert not list(tmp_path.glob("*quarantined*"))


def test_checkpoint_that_cannot_fit_is_refused_and_the_last_good_one_kept(tmp_path: Path) -> None:
    """The reason names both numbers."""
    write(tmp_path, 4, 1.0)
    reason = storage.make_room(tmp_path, 5000, "eval_loss", lambda _: 40)
    assert "5000 bytes" in reason
    assert "40 are free" in reason
    assert [one.step for one in checkpoints.verified(tmp_path)] == [4]


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), True),
        (RuntimeError("[enforce fail] PytorchStreamWriter failed writing file data/0"), True),
        (OSError(errno.EACCES, "Permission denied"), False),
        (ValueError("shape mismatch"), False),
    ],
)
def test_full_volume_is_told_from_other_errors(error: Exception, full: bool) -> None:
    """torch says in words of its own that a write failed."""
    assert storage.is_full(error) is full


def test_free_bytes_are_those_of_the_volume(tmp_path: Path) -> None:
    """They come from the file system."""
    assert storage.free_bytes(tmp_path) > 0
