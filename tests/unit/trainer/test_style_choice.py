"""The checkpoint that speaks in its styles best."""

from pathlib import Path

import pytest

from trainer.engine import checkpoints, style_choice


def test_own_prompt_has_to_win() -> None:
    """Accuracy counts wins, the margin says by how much; a tie is no win."""
    table = [[-1.0, -2.0, -3.0], [-2.0, -1.5, -1.0], [-2.0, -2.0, -2.0]]
    accuracy, margin = style_choice.contrast(table, [0, 1, 2])
    assert accuracy == pytest.approx(1 / 3)
    assert margin == pytest.approx((1.0 - 0.5 + 0.0) / 3)


def test_reason_is_given_where_style_cannot_be_measured() -> None:
    """One style, no system prompts, or nothing held out."""
    row = {"messages": [], "reply": "a", "style": "x"}
    two = {"x": "be x", "y": "be y"}
    assert "two styles" in style_choice.unusable({})
    assert "two styles" in style_choice.unusable({"style_probe": {"rows": [row], "prompts": {}}})
    assert "held-out" in style_choice.unusable({"style_probe": {"rows": [], "prompts": two}})
    assert not style_choice.unusable({"style_probe": {"rows": [row], "prompts": two}})


def seal(folder: Path, step: int, loss: float | None, style: tuple[float, float] | None) -> None:
    """Write a checkpoint with what was measured at its step."""
    path = folder / f"checkpoint-{step}"
    path.mkdir()
    (path / "weights").write_bytes(b"w")
    checkpoints.seal(path, step, loss, style)


def test_best_by_style_is_kept_and_chosen(tmp_path: Path) -> None:
    """The margin decides between equal accuracies; the held-out loss has no say."""
    measured = {1: (0.5, 0.1), 2: (0.9, 0.1), 3: (0.9, 0.4), 4: (0.8, 0.9), 5: None}
    for step, style in measured.items():
        seal(tmp_path, step, 1.0 / step, style)
        checkpoints.rotate(tmp_path, 1, "style")
    kept = checkpoints.verified(tmp_path)
    assert [one.step for one in kept] == [5, 3]
    assert checkpoints.best(kept, "style").style == (0.9, 0.4)
    assert checkpoints.best(kept).step == 5


def test_loss_decides_where_no_style_was_measured(tmp_path: Path) -> None:
    """A run may have been begun before."""
    for step, loss in ((1, 1.0), (2, 2.0)):
        seal(tmp_path, step, loss, None)
    assert checkpoints.best(checkpoints.verified(tmp_path), "style").step == 1
