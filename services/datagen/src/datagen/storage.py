"""A volume without room, told as our own error."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from kit.errors import StorageFullError


@contextmanager
def job_storage() -> Iterator[None]:
    """Run a job's work. Raises StorageFullError, with what to do, where the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise StorageFullError(
            "the volume is full", hint="make room, then resume the job"
        ) from error
