"""Wait until serving follows `models/current.json`: it reads the file twice a second."""

import time
from collections.abc import Callable

from client import LauncherClient, ServiceDownError
from contracts.artefact import ServingStatus
from tonesmith.errors import CommandError

POLL_SECONDS = 0.3
Reached = Callable[[ServingStatus], bool]


class NotServedError(CommandError):
    """Serving does not do what the trainer asked of it."""

    code = "not_served"


def wait_for_serving(
    launcher: LauncherClient,
    reached: Reached,
    name: str,
    *,
    seconds: float,
    tick: Callable[[ServingStatus], None] = lambda _: None,
) -> ServingStatus:
    """Wait until serving has reached a state, and return it.

    Args:
        launcher: serving's control port.
        reached: whether a status is the one to wait for.
        name: served name that is waited for; serving's reason against it ends the wait.
        seconds: how long to wait.
        tick: called with each status on the way.

    Raises:
        NotServedError: serving refuses, failed, or takes too long.
    """
    deadline = time.monotonic() + seconds
    while not reached(status := status_of(launcher)):
        reason = status.errors.get(name) or status.errors.get("engine")
        if status.state == "failed" or reason:
            raise NotServedError(
                f"serving refuses {name}: {reason or status.state}",
                hint="see `tonesmith status --json` and serving's log",
            )
        if time.monotonic() > deadline:
            raise NotServedError(
                f"serving is {status.state} and has not loaded {name} after {seconds:.0f} s",
                hint="look again: `tonesmith status`",
            )
        tick(status)
        time.sleep(POLL_SECONDS)
    return status


def status_of(launcher: LauncherClient) -> ServingStatus:
    """Return what serving says; one whose launcher does not answer yet is starting."""
    try:
        return launcher.status()
    except ServiceDownError:
        return ServingStatus(state="starting")
