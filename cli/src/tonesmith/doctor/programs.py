"""Run a program of this machine and return what it prints."""

import subprocess
from collections.abc import Callable

Run = Callable[[list[str]], str]
# Finding an engine's versions reads metadata only; a cold disk still takes a while.
PROGRAM_SECONDS = 60


def run_program(command: list[str]) -> str:
    """Return what a program prints. Raises OSError, subprocess.SubprocessError."""
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=PROGRAM_SECONDS
    )
    return done.stdout
