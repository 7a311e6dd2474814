"""Leave in order: SIGTERM and SIGHUP end a command the way Ctrl-C does, and Ctrl-C always does."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

POLITE = (signal.SIGTERM, signal.SIGHUP)


class StopRequestedError(BaseException):
    """Somebody asked this process to end; `finally` blocks run on the way out."""


@contextmanager
def orderly_end() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into StopRequestedError, SIGINT into KeyboardInterrupt.

    A shell without job control starts background commands with SIGINT ignored, and every child
    inherits that: Python then installs no handler of its own, and Ctrl-C would never come.
    """

    def stop(number: int, _: FrameType | None) -> None:
        raise StopRequestedError(signal.Signals(number).name)

    before = {number: signal.signal(number, stop) for number in POLITE}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ignore further requests to end while what was started is being stopped."""
    numbers = (*POLITE, signal.SIGINT)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
