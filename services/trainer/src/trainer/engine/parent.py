"""Die with the service: an engine must never outlive the process that watches it."""

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


class OrphanError(RuntimeError):
    """The service died before this process could tie itself to it."""


def die_with_parent(environ: "os._Environ[str] | dict[str, str]" = os.environ) -> None:
    """Ask the kernel to kill this process when its parent dies (Linux; elsewhere nothing).

    The service names itself in `TONESMITH_PARENT`, so that a death before this call is seen too.
    """
    expected = environ.get("TONESMITH_PARENT")
    if not expected:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "prctl"):
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(expected):
        raise OrphanError(f"the service (process {expected}) is gone")
