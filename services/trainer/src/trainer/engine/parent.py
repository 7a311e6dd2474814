"""What an engine does when the service that started it dies.

With no grace it dies at once, so that it never outlives the process that watches it. With some, it
goes on and waits to be adopted: a new service writes `adopted.json` {"pid"}. Where none does, it
asks itself to save and stop (`cancel`), and where that hangs, it kills its own process group.
"""

import ctypes
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from trainer.engine.files import read_json
from trainer.engine.occupancy import started

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
POLL_SECONDS = 0.5
SAVE_SECONDS = 120.0  # for the last checkpoint of an engine that nobody adopted

logger = logging.getLogger("trainer.engine")


class OrphanError(RuntimeError):
    """The service died before this process could tie itself to it."""


def die_with_parent(environ: "os._Environ[str] | dict[str, str]" = os.environ) -> None:
    """Ask the kernel to kill this process when its parent dies (Linux; elsewhere nothing).

    The service names itself in `TONESMITH_PARENT`, so that a death before this call is seen too.
    """
    expected = environ.get("TONESMITH_PARENT")
    if not expected:
        return
    tie_to_parent()
    if os.getppid() != int(expected):
        raise OrphanError(f"the service (process {expected}) is gone")


def tie_to_parent() -> None:
    """Have the kernel kill this process when its parent dies (Linux; elsewhere nothing)."""
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "prctl"):
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def guard(folder: Path, grace_seconds: float, environ: Mapping[str, str] = os.environ) -> None:
    """Tie this engine to its service, as loosely as `grace_seconds` says.

    Raises OrphanError where it is gone already. A process that no service started is left alone.
    """
    expected = environ.get("TONESMITH_PARENT")
    if not expected:
        return
    launched = "TORCHELASTIC_RUN_ID" in environ  # our parent is torchrun, and the service its own
    if grace_seconds <= 0 and not launched:
        die_with_parent(dict(environ))
        return
    if launched:
        tie_to_parent()
    watch = Watch(folder, int(expected), grace_seconds)
    threading.Thread(target=watch.forever, name="service", daemon=True).start()


def kill_own_group() -> None:
    """Kill this process and what was started with it; alone where the group is not ours."""
    if os.getsid(0) == os.getpgrp():
        os.killpg(0, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


class Watch:
    """Looks whether a service still cares for this engine.

    Args:
        folder: of the run.
        service: process that started us.
        grace_seconds: without any service until we save and stop; 0: die at once.
        since: tells when a process started; None if it is gone.
        clock: monotonic seconds.
        kill: ends this process and all that belongs to it.
    """

    def __init__(
        self,
        folder: Path,
        service: int,
        grace_seconds: float,
        *,
        since: Callable[[int], int | None] = started,
        clock: Callable[[], float] = time.monotonic,
        kill: Callable[[], None] = kill_own_group,
    ) -> None:
        self.folder = folder
        self.grace_seconds = grace_seconds
        self.since = since
        self.clock = clock
        self.kill = kill
        self.known = {service: since(service)}
        self.alone_since: float | None = None
        self.asked = False

    def forever(self) -> None:
        """Look twice a second until the process ends."""
        while True:
            self.look()
            time.sleep(POLL_SECONDS)

    def look(self) -> None:
        """Look once, and act where nobody cared for too long."""
        if self.cared_for():
            self.alone_since = None
            return
        if self.alone_since is None:
            self.alone_since = self.clock()
        waited = self.clock() - self.alone_since
        if waited < self.grace_seconds:
            return
        if self.grace_seconds <= 0 or waited >= self.grace_seconds + SAVE_SECONDS:
            self.kill()
        elif not self.asked:
            self.asked = True
            logger.info("no service for %.0f s: saving and stopping", waited)
            (self.folder / "cancel").touch()

    def cared_for(self) -> bool:
        """Return whether the service lives, or the one that adopted us."""
        adopted = read_json(self.folder / "adopted.json")
        if isinstance(adopted, dict) and isinstance(adopted.get("pid"), int):
            # Remembered with its start: a later process of the same number is another one.
            self.known.setdefault(adopted["pid"], self.since(adopted["pid"]))
        return any(at is not None and self.since(pid) == at for pid, at in list(self.known.items()))
