"""What a training is told, and what is read back of how it ended."""

from pathlib import Path

import pytest

from trainer.engine.files import RunFiles
from trainer.engine.training import chosen_by, stopped


def test_style_that_cannot_be_measured_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """The run goes on with the held-out loss; the note ends up in its record."""
    assert chosen_by({}) == ("eval_loss", ())
    row = {"messages": [], "reply": "a", "style": "x"}
    probe = {"rows": [row], "prompts": {"x": "be x", "y": "be y"}}
    assert chosen_by({"choose_by": "style", "style_probe": probe}) == ("style", ())
    chosen, notes = chosen_by({"choose_by": "style"})
    assert chosen == "eval_loss"
    assert "not by style" in notes[0]
    assert notes[0] in caplog.text


def test_stop_is_read_from_the_events_of_its_step(tmp_path: Path) -> None:
    """An engine that was killed before it exported does not train on."""
    files = RunFiles(tmp_path)
    assert stopped(files, 8) is None
    files.event("stop", 8, {"saved_steps": 12.0}, "flat: no loss fell: for 16 steps")
    assert stopped(files, 4) is None
    assert stopped(files, 8) == {
        "reason": "flat",
        "step": 8,
        "saved_steps": 12,
        "detail": "no loss fell: for 16 steps",
    }
