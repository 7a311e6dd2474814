"""What supervisord says of a program."""

import pytest

from tonesmith.stack.supervisor import ProgramState


@pytest.mark.parametrize(
    ("state", "description", "reason"),
    [
        ("EXITED", "Nov 23 04:05 AM", "exited"),
        ("BACKOFF", "Exited too quickly", "Exited too quickly"),
        ("FATAL", "", "fatal"),
        ("UNKNOWN", "", "unknown"),
    ],
)
def test_reason_is_never_a_date(state: str, description: str, reason: str) -> None:
    """When a program ended says nothing about why."""
    assert ProgramState("ui", state, 0, description).reason == reason
