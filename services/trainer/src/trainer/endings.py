"""Classify how an engine ended that could not say so itself. Pure."""

import signal
from pathlib import Path

from kit.errors import StorageFullError, TonesmithError
from trainer.errors import EngineFailedError, OutOfMemoryError

MEMORY = ("out of memory", "outofmemoryerror", "cannot allocate memory", "can't allocate memory")
STORAGE = ("no space left on device", "disk quota exceeded")


def engine_error(code: int, last: str, root: Path) -> TonesmithError:
    """Return the error for an exit status and the log's last line.

    Args:
        code: as subprocess gives it; negative is the signal that killed the process.
        last: the last line of the engine's log.
        root: the data folder, whose path is not shown.
    """
    words = last.replace(str(root.resolve()), "$DATA_DIR")[:300]
    if any(each in words.lower() for each in STORAGE):
        return StorageFullError(f"the volume is full: {words}", hint="remove old runs or models")
    if any(each in words.lower() for each in MEMORY):
        hint = "lower per_device_train_batch_size or cutoff_len; raise gradient_accumulation_steps"
        return OutOfMemoryError(f"the engine ran out of memory: {words}", hint=hint)
    if code < 0:
        name = signal.Signals(-code).name
        hint = "the system may be short of memory; `resume` goes on from the last checkpoint"
        return EngineFailedError(f"the engine was killed by {name} again and again", hint=hint)
    return EngineFailedError(
        f"the engine stopped with status {code}: {words}", hint="see the run's engine.log"
    )
