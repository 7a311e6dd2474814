"""The real card: without a driver nothing is imported and nothing is probed."""

import sys
from pathlib import Path

from trainer.engine.probe import smallest_card


def test_a_machine_without_a_driver_has_no_card(tmp_path: Path) -> None:
    """Torch, which takes seconds to import, is not even asked."""
    assert smallest_card(tmp_path / "none", tmp_path) is None
    assert "torch" not in sys.modules
