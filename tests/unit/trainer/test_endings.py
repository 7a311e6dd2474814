"""How an engine that crashed is told."""

from pathlib import Path

import pytest

from trainer.endings import engine_error


@pytest.mark.parametrize(
    ("code", "last", "kind", "status"),
    [
        (1, "torch.OutOfMemoryError: CUDA out of memory. Tried to", "out_of_memory", 500),
        (1, "DefaultCPUAllocator: can't allocate memory", "out_of_memory", 500),
        (1, "OSError: [Errno 28] No space left on device", "storage_full", 507),
        (1, "ValueError: Please specify dataset for training.", "engine_failed", 500),
        (-9, "", "engine_failed", 500),
        (-11, "", "engine_failed", 500),
    ],
)
def test_ending_has_its_code(code: int, last: str, kind: str, status: int) -> None:
    """Programs see the class of an ending, people its words and the way out."""
    error = engine_error(code, last, Path("/data"))
    assert (error.body.code, error.status) == (kind, status)
    assert error.body.hint


def test_path_of_the_data_folder_is_not_shown() -> None:
    """A message tells no absolute path of ours."""
    error = engine_error(1, "FileNotFoundError: /srv/data/runs/x/recipe.yaml", Path("/srv/data"))
    assert "/srv" not in error.body.message
    assert "$DATA_DIR/runs/x/recipe.yaml" in error.body.message


def test_signal_is_named() -> None:
    """A number means nothing to most people."""
    assert "SIGSEGV" in engine_error(-11, "", Path("/data")).body.message
