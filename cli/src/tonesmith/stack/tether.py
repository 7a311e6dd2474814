"""`python -m tonesmith.stack.tether PID COMMAND...`: run a command that dies with its parent.

The kernel sends SIGTERM to this process as soon as the process PID that started it is gone, also
after `kill -9`; the request survives `exec`, so COMMAND itself gets the signal. PID 0 stands for
whoever started this.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def tethered(command: Sequence[str], parent: int = 0) -> list[str]:
    """Return the command line that runs `command` for as long as the process `parent` lives."""
    return [sys.executable, "-m", "tonesmith.stack.tether", str(parent), *command]


def main(arguments: Sequence[str]) -> None:
    """Ask for the signal, make sure that the parent still lives, and become the command."""
    parent, command = int(arguments[0]), list(arguments[1:])
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if parent not in (0, os.getppid()):
        sys.exit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
