"""Leaving in order."""

import os
import signal

import pytest

from tonesmith.signals import StopRequestedError, orderly_end, undisturbed


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_request_to_end_unwinds_the_stack(number: int) -> None:
    """`finally` blocks run; afterwards the handlers are what they were."""
    before = signal.getsignal(number)
    with pytest.raises(StopRequestedError), orderly_end():
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before


def test_second_request_does_not_disturb_the_end() -> None:
    """Who presses Ctrl-C twice still gets everything stopped."""
    with undisturbed():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
