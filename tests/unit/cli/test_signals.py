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
    before = signal.getsignal(signal.SIGINT)
    with undisturbed():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_ends_a_command_that_was_started_in_the_background() -> None:
    """A shell without job control starts it with SIGINT ignored; the promise holds all the same."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(KeyboardInterrupt), orderly_end():
            os.kill(os.getpid(), signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
