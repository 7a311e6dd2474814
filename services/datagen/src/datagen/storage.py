"""A volume without room, told as our own error."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from kit.errors import StorageFullError

RESUME, RETRY = "make room, then resume the job", "make room, then try again"


@contextmanager
def full_volume_told(hint: str) -> Iterator[None]:
    """Do what writes to the volume.

    Raises:
        StorageFullError: the volume is full; `hint` says how to go on.
        OSError: any other, as it is.
    """
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise StorageFullError("the volume is full", hint=hint) from error
