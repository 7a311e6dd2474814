"""Room for the next checkpoint: looked for before it is written, so that none is cut off. Pure
but for the deletions."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

from trainer.engine import checkpoints

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
# torch.save and safetensors hide the error number behind their own words.
WORDS = ("no space left", "quota exceeded", "failed writing", "unexpected pos")
# Adam keeps two moments of 4 bytes each for a weight; state files and tokenizer beside them.
MOMENT_BYTES = 8
OTHER_BYTES = 16 << 20


class StorageFullError(Exception):
    """The next checkpoint does not fit; the newest one is whole."""


def free_bytes(folder: Path) -> int:
    """Return the bytes that this user may still write where `folder` lies."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def needed_bytes(folder: Path, weights: int, weight_bytes: int) -> int:
    """Return what the next checkpoint in `folder` takes: as much as the newest one.

    Before the first: an estimate for so many trained `weights` of `weight_bytes` in all.
    """
    good = checkpoints.verified(folder, read=False)
    if not good:
        return weight_bytes + MOMENT_BYTES * weights + OTHER_BYTES
    return sum(file.stat().st_size for file in good[0].path.rglob("*") if file.is_file())


def make_room(
    folder: Path, needed: int, choose_by: str, free: Callable[[Path], int] = free_bytes
) -> str:
    """Delete what can be spared in `folder` until `needed` bytes are free.

    The newest verified checkpoint and the best one stay. Returns nothing, or why it is not enough.
    """
    if free(folder) < needed:
        checkpoints.rotate(folder, 1, choose_by)
        for path in folder.glob("quarantined-*"):
            checkpoints.delete(path)
    left = free(folder)
    if left >= needed:
        return ""
    return f"the next checkpoint and the reserve take {needed} bytes, and {left} are free"


def is_full(error: BaseException) -> bool:
    """Return whether an error of a save says that the storage is full."""
    number = error.errno if isinstance(error, OSError) else None
    return number in FULL or any(words in str(error).lower() for words in WORDS)
