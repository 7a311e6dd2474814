"""Tests of how often a growing reply is drawn."""

import time

import pytest

from ui.chat import pace
from ui.chat.pace import LONGEST_SECONDS, SHARE, Pace


def test_nothing_is_waited_for_before_anything_was_drawn() -> None:
    """The first words come at once."""
    assert Pace().pause == 0


def test_pause_grows_with_what_drawing_takes_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow page is drawn rarely, yet never seems to stand still; a quick one recovers."""
    now = [10.0]
    monkeypatch.setattr(pace.time, "monotonic", lambda: now[0])
    shown = Pace()
    for seconds, pause in [(0.01, SHARE * 0.01), (5.0, LONGEST_SECONDS), (0.0, 0.0)]:
        with shown.drawing():
            now[0] += seconds
        assert shown.pause == pytest.approx(pause)


def test_time_is_real() -> None:
    """What is done within counts."""
    shown = Pace()
    with shown.drawing():
        time.sleep(0.02)
    assert shown.pause >= SHARE * 0.02
