"""How the engine begins, and what it makes of what went wrong."""

import json
from pathlib import Path

import pytest

from trainer.engine import run
from trainer.engine.files import RunFiles
from trainer.engine.nonfinite import NonFiniteLossError
from trainer.engine.occupancy import BUSY, Occupancy
from trainer.engine.ranks import Ranks
from trainer.engine.storage import StorageFullError


class OutOfMemoryError(RuntimeError):
    """As torch names it."""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NonFiniteLossError("loss is not a number any more at step 3"), "non_finite_loss"),
        (StorageFullError("the next checkpoint takes 9 bytes, and 1 are free"), "storage_full"),
        (OutOfMemoryError("CUDA: tried to allocate 2 GiB"), "out_of_memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "out_of_memory"),
        (MemoryError(), "out_of_memory"),
    ],
)
def test_what_went_wrong_has_a_code_and_a_way_out(error: Exception, code: str) -> None:
    """The service reads the code, people the message and the hint."""
    found = run.failure(error)
    assert found is not None
    assert found[0] == code
    assert str(error) in found[1]
    assert found[2]


def test_bug_is_left_to_the_log() -> None:
    """It has no code: the engine ends with its traceback."""
    assert run.failure(KeyError("history")) is None
    assert run.failure(RuntimeError("shapes differ")) is None


def test_cancelled_run_ends_before_anything_is_loaded(tmp_path: Path) -> None:
    """It needs no torch."""
    (tmp_path / "plan.json").write_text("{}")
    (tmp_path / "cancel").touch()
    assert run.main([str(tmp_path)]) == 0
    assert json.loads((tmp_path / "outcome.json").read_text())["state"] == "cancelled"
    assert json.loads((tmp_path / "rank-0.json").read_text())["world_size"] == 1
    run.HELD.pop().release()


def test_busy_run_is_left_alone(tmp_path: Path) -> None:
    """The status says that somebody else works on it."""
    (tmp_path / "plan.json").write_text("{}")
    held = Occupancy(tmp_path)
    before = sorted(tmp_path.iterdir())
    assert run.main([str(tmp_path)]) == BUSY
    assert sorted(tmp_path.iterdir()) == before
    held.release()


def test_rank_files_of_more_processes_than_now_are_removed(tmp_path: Path) -> None:
    """They would be scraped as if those processes lived."""
    files = RunFiles(tmp_path)
    for number in range(4):
        (tmp_path / f"rank-{number}.json").write_text("{}")
    (tmp_path / "rank-notes.json").write_text("{}")
    assert run.tidied(files, Ranks(0, 2)) is None
    left = {path.name for path in tmp_path.glob("rank-*")}
    assert left == {"rank-0.json", "rank-1.json", "rank-notes.json"}


def test_sums_of_the_run_stay_in_the_rank_file_of_the_next_engine(tmp_path: Path) -> None:
    """What an engine says of itself goes with it: a stale figure would look new."""
    files = RunFiles(tmp_path)
    assert run.loading(files, {"pid": 1}, 0) == {"pid": 1, "stage": "load", "step": 0}
    files.rank.write_text(json.dumps({"pid": 1, "totals": {"steps": 7}, "figures": {"loss": 2}}))
    found = run.loading(files, {"pid": 2}, 5)
    assert found == {"pid": 2, "stage": "load", "step": 5, "totals": {"steps": 7}}
