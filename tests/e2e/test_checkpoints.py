"""The real engine resumes from the newest good checkpoint, whatever became of the newest one."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.engine_folder import EngineFolder, make_tiny_base
from trainer.engine import checkpoints
from trainer.engine.checkpoints import MANIFEST

pytestmark = pytest.mark.engines
TOLERANCE = 1e-3
HOUR = 3600


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> EngineFolder:
    """An uninterrupted run of twelve steps with all of its checkpoints."""
    folder = tmp_path_factory.mktemp("whole")
    base = make_tiny_base(folder / "tiny")
    run = EngineFolder(folder / "run", base, plan={"keep_checkpoints": 10}, max_steps=12)
    assert run.run() == 0
    assert [one.step for one in checkpoints.verified(run.checkpoints)] == [12, 8, 4]
    return run


def truncated_optimizer(path: Path) -> None:
    """Cut the optimizer's state in half."""
    os.truncate(path / "optimizer.pt", (path / "optimizer.pt").stat().st_size // 2)


def flipped_weights(path: Path) -> None:
    """Change one bit of the weights."""
    content = bytearray((path / "adapter_model.safetensors").read_bytes())
    content[-1] ^= 1
    (path / "adapter_model.safetensors").write_bytes(content)


def deleted_state(path: Path) -> None:
    """Lose the Trainer's own state, and set the clock back for what is left."""
    (path / "trainer_state.json").unlink()
    past = time.time() - HOUR
    for each in (path, *path.rglob("*")):
        os.utime(each, (past, past))


def emptied(path: Path) -> None:
    """Leave nothing but the folder."""
    shutil.rmtree(path)
    path.mkdir()


def unsealed(path: Path) -> None:
    """As if killed just before the manifest, and an empty folder of a later step beside it."""
    (path / MANIFEST).unlink()
    (path.parent / "checkpoint-999999").mkdir()


@pytest.mark.parametrize(
    "damage",
    [truncated_optimizer, flipped_weights, deleted_state, emptied, unsealed],
    ids=lambda damage: damage.__name__,
)
def test_run_with_a_damaged_checkpoint_ends_as_the_whole_one(
    whole: EngineFolder, damage: Callable[[Path], None], tmp_path: Path
) -> None:
    """It is put aside; the losses that follow are those of the uninterrupted run."""
    run = EngineFolder(tmp_path / "run", whole.base, max_steps=12)
    for step in (4, 8):
        name = f"checkpoint-{step}"
        shutil.copytree(whole.checkpoints / name, run.checkpoints / name)
    shutil.copy(whole.path / "events.jsonl", run.path / "events.jsonl")
    damage(run.checkpoints / "checkpoint-8")
    assert run.run() == 0
    assert run.outcome()["state"] == "done"
    assert run.read("rank-0.json")["resumed_from"] == 4
    assert run.losses() == pytest.approx(whole.losses(), abs=TOLERANCE)
    assert (run.checkpoints / "quarantined-checkpoint-8").exists()
    ends = [checkpoints.verified(each.checkpoints)[0] for each in (run, whole)]
    first, second = ((one.path / "adapter_model.safetensors").read_bytes() for one in ends)
    assert first == second
