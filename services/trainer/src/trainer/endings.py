"""Classify how an engine ended that could not say so itself. Pure."""

import re
import signal
from collections.abc import Sequence
from pathlib import Path

from kit.errors import StorageFullError, TonesmithError
from trainer.errors import EngineFailedError, OutOfMemoryError

MEMORY = ("out of memory", "outofmemoryerror", "cannot allocate memory", "can't allocate memory")
STORAGE = ("no space left on device", "disk quota exceeded")
# What torchrun says once a rank has failed (torch/distributed/elastic/multiprocessing/api.py): one
# line with its exit status, then a traceback and a report of its own.
RANK_FAILED = re.compile(r"torch/distributed/elastic/.*failed \(exitcode: (-?\d+)\)")
SHELL_SIGNALS = 128  # a shell's or a container's exit status: 128 and the signal


def last_words(lines: Sequence[str], code: int) -> tuple[int, str]:
    """Return the exit status of the rank that failed first, and the last line that it wrote.

    Args:
        lines: the end of the engine's log.
        code: exit status of the process that we started: the rank itself, or torchrun.
    """
    if code - SHELL_SIGNALS in set(signal.Signals):
        return SHELL_SIGNALS - code, ""
    for at in range(len(lines) - 1, -1, -1):
        if code > 0 and (failed := RANK_FAILED.search(lines[at])):
            return int(failed[1]), lines[at - 1] if at else ""
    return code, lines[-1] if lines else ""


def engine_error(code: int, last: str, root: Path) -> TonesmithError:
    """Return the error for an exit status and the log's last line.

    Args:
        code: as subprocess gives it; negative is the signal that killed the process.
        last: the last line of the engine's log.
        root: the data folder, whose path is not shown.
    """
    words = last.replace(str(root.resolve()), "$DATA_DIR")[:300]
    # The kernel kills by SIGKILL where the machine's memory is short: nothing that the engine wrote
    # before says why, and a smaller batch on the card would not help.
    if code == -signal.SIGKILL:
        return killed(code)
    if any(each in words.lower() for each in STORAGE):
        return StorageFullError(f"the volume is full: {words}", hint="remove old runs or models")
    if any(each in words.lower() for each in MEMORY):
        hint = "lower per_device_train_batch_size or cutoff_len; raise gradient_accumulation_steps"
        return OutOfMemoryError(f"the engine ran out of memory: {words}", hint=hint)
    if code < 0:
        return killed(code)
    return EngineFailedError(
        f"the engine stopped with status {code}: {words}", hint="see the run's engine.log"
    )


def killed(code: int) -> EngineFailedError:
    """Return the error of an engine that died by a signal each time that it was started."""
    name = signal.Signals(-code).name
    hint = "the system may be short of memory; `resume` goes on from the last checkpoint"
    return EngineFailedError(f"the engine was killed by {name} again and again", hint=hint)
