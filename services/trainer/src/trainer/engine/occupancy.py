"""One engine for a run: a lock that is held for the process's life, and who holds it."""

import fcntl
import os
from pathlib import Path
from typing import Any

from trainer.engine.files import write_atomic

# EX_TEMPFAIL of <sysexits.h>: another engine works on the folder, nothing was touched.
BUSY = 75
PROC = Path("/proc")
START_FIELD = 22  # proc(5): when the process started, in clock ticks after the machine did


class BusyError(Exception):
    """Another engine works on this run."""


class Occupancy:
    """The lock on a run's folder, held until the process ends or `release` is called.

    Raises BusyError where another process holds it.
    """

    def __init__(self, folder: Path) -> None:
        self._descriptor = os.open(folder / "engine.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._descriptor)
            raise BusyError(f"another engine works in {folder.name}") from error
        # A forked child shares the lock and would hold it after our death.
        os.register_at_fork(after_in_child=self.release)

    def release(self) -> None:
        """Close the lock; in a forked child only its own copy of it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def write_identity(path: Path) -> None:
    """Say in the file at `path` which process this is, so that no other one is taken for it."""
    boot = PROC / "sys/kernel/random/boot_id"
    document: dict[str, Any] = {
        "pid": os.getpid(),
        "started": started(os.getpid()),
        "boot_id": boot.read_text(encoding="ascii").strip() if boot.exists() else "",
        "group": os.getpgrp(),
    }
    write_atomic(path, document)


def started(pid: int, proc: Path = PROC) -> int | None:
    """Return when a process started, in clock ticks after boot; None if it is gone or a zombie."""
    try:
        text = (proc / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    state, *rest = text.rpartition(")")[2].split()  # the name before it may hold anything
    return None if state in "ZX" else int(rest[START_FIELD - 4])
