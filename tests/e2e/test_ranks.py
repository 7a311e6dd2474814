"""Several processes train one run: on one machine, and as two nodes that only PET_* tells apart."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from e2e.engine_folder import EngineFolder, make_tiny_base, some_rows
from fakes.serving_process import free_port
from trainer.engine import checkpoints
from trainer.engine.occupancy import BUSY, started

pytestmark = pytest.mark.engines
TORCHRUN = ("-m", "torch.distributed.run")
PATIENCE_SECONDS = 300.0
TOLERANCE = 1e-3


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny base."""
    return make_tiny_base(tmp_path_factory.mktemp("base") / "tiny")


@pytest.fixture(scope="module")
def alone(base: Path, tmp_path_factory: pytest.TempPathFactory) -> EngineFolder:
    """One process that accumulates two micro-batches: what two processes have to equal."""
    run = EngineFolder(
        tmp_path_factory.mktemp("alone") / "run", base, gradient_accumulation_steps=2
    )
    assert run.run() == 0
    return run


def two() -> tuple[str, ...]:
    """Return the launcher of two processes on this machine."""
    return (*TORCHRUN, "--nproc-per-node", "2", "--master-port", str(free_port()))


def until(true: Callable[[], bool]) -> None:
    """Wait for a condition, or fail."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.02)


def expect_two_ranks(run: EngineFolder, alone: EngineFolder) -> None:
    """Check that two processes trained what one with doubled accumulation trains."""
    assert run.outcome()["state"] == "done"
    ranks = [run.read(f"rank-{number}.json") for number in (0, 1)]
    assert [rank["rank"] for rank in ranks] == [0, 1]
    assert [rank["world_size"] for rank in ranks] == [2, 2]
    assert len({rank["pid"] for rank in ranks}) == 2
    assert run.losses() == pytest.approx(alone.losses(), abs=TOLERANCE)
    assert [event["step"] for event in run.events("save")] == [4, 8]
    assert ranks[0]["figures"]["tokens"] == ranks[1]["figures"]["tokens"]
    assert ranks[0]["figures"]["tokens"] == alone.read("rank-0.json")["figures"]["tokens"]
    mine, theirs = (checkpoints.verified(each.checkpoints)[0] for each in (run, alone))
    assert mine.eval_loss == pytest.approx(theirs.eval_loss, abs=TOLERANCE)
    assert {path.name for path in mine.path.glob("rng_state*")} == {
        "rng_state_0.pth",
        "rng_state_1.pth",
    }


def test_two_ranks_equal_one_with_doubled_accumulation(
    base: Path, alone: EngineFolder, tmp_path: Path
) -> None:
    """Killed once on the way, all of them go on from what process 0 says."""
    run = EngineFolder(tmp_path / "run", base)
    assert run.run(*two(), FAILPOINT="ckpt.before_manifest@2") != 0
    (run.checkpoints / "checkpoint-999").mkdir()
    assert run.run(*two()) == 0
    expect_two_ranks(run, alone)
    assert [run.read(f"rank-{number}.json")["resumed_from"] for number in (0, 1)] == [4, 4]
    assert len(list(run.checkpoints.glob("quarantined-*"))) == 2


def test_two_nodes_are_told_apart_by_pet_alone(
    base: Path, alone: EngineFolder, tmp_path: Path
) -> None:
    """As Kubeflow Trainer starts them: the same command twice, the rest in the environment."""
    run = EngineFolder(tmp_path / "run", base, plan={"publish": True})
    port = str(free_port())
    nodes = [
        run.start(
            *TORCHRUN,
            log=f"node-{number}.log",
            PET_NNODES="2",
            PET_NODE_RANK=str(number),
            PET_NPROC_PER_NODE="1",
            PET_MASTER_ADDR="127.0.0.1",
            PET_MASTER_PORT=port,
        )
        for number in (0, 1)
    ]
    codes = [node.wait() for node in nodes]
    logs = [(run.path / f"node-{number}.log").read_text(errors="replace") for number in (0, 1)]
    assert codes == [0, 0], logs
    expect_two_ranks(run, alone)
    assert (run.path / "model" / "adapter_model.safetensors").is_file()


def endless(base: Path, folder: Path, **plan: Any) -> EngineFolder:
    """Return a run that would last for hours."""
    return EngineFolder(
        folder,
        base,
        plan=plan,
        max_steps=1_000_000,
        save_steps=1_000_000,
        eval_strategy="no",
        eval_dataset=None,
    )


def started_training(run: EngineFolder) -> bool:
    """Return whether both processes have logged."""
    names = ("rank-0.json", "rank-1.json")
    return all((run.path / name).exists() and run.read(name)["step"] > 2 for name in names)


def test_cancel_stops_all_ranks_at_the_same_step(base: Path, tmp_path: Path) -> None:
    """Process 0 looks for the file and tells the others; a second launch is turned away."""
    run = endless(base, tmp_path / "run")
    process = run.start(*two())
    until(lambda: started_training(run))
    other = run.start(*two(), log="second.log")
    assert other.wait() != 0
    log = (run.path / "second.log").read_text(errors="replace")
    assert "another engine" in log
    assert f"exitcode  : {BUSY}" in log
    (run.path / "cancel").touch()
    assert process.wait() == 0
    assert run.outcome()["state"] == "cancelled"
    newest = checkpoints.verified(run.checkpoints)[0]
    assert newest.step == run.events("save")[-1]["step"]
    assert len(list(newest.path.glob("rng_state_*.pth"))) == 2


def test_rank_that_dies_ends_the_run(base: Path, tmp_path: Path) -> None:
    """The other one does not wait for ever; nothing says that the run is done."""
    run = endless(base, tmp_path / "run")
    process = run.start(*two())
    until(lambda: started_training(run))
    first, second = (run.read(f"rank-{number}.json")["pid"] for number in (0, 1))
    os.kill(second, signal.SIGKILL)
    assert process.wait() != 0
    until(lambda: started(first) is None)
    assert not (run.path / "outcome.json").exists()


def test_ranks_of_a_dead_service_save_and_stop(base: Path, tmp_path: Path) -> None:
    """The kernel ties a process to its parent, which is torchrun: so they look for the service."""
    run = endless(base, tmp_path / "run", parent_grace_seconds=1)
    service = subprocess.Popen(["sleep", "600"])
    process = run.start(*two(), TONESMITH_PARENT=str(service.pid))
    until(lambda: started_training(run))
    service.kill()
    service.wait()
    assert process.wait() == 0
    assert run.outcome()["state"] == "cancelled"
    assert checkpoints.verified(run.checkpoints)


def test_full_volume_stops_all_ranks(base: Path, tmp_path: Path) -> None:
    """Process 0 looks for room; the others hear it before they would write."""
    run = EngineFolder(tmp_path / "run", base, plan={"reserve_bytes": 1 << 60})
    assert run.run(*two()) != 0
    assert run.outcome()["error"]["code"] == "storage_full"
    assert not list(run.checkpoints.glob("checkpoint-*"))


def test_broken_row_on_any_rank_is_named(tmp_path: Path) -> None:
    """The process whose micro-batch it is tells process 0."""
    base = make_tiny_base(tmp_path / "tiny", "--poison", "~")
    rows = some_rows(48)
    rows[9]["instruction"] = "this row is ~broken"
    few = {"per_device_train_batch_size": 1, "max_steps": 24, "eval_steps": 100, "save_steps": 100}
    run = EngineFolder(tmp_path / "run", base, rows=rows, **few)
    assert run.run(*two()) != 0
    assert "~broken" in run.outcome()["error"]["message"]
    found = run.read("nonfinite.json")
    assert any("~broken" in row for row in found["rows"])
    assert found["rank"] in (0, 1)
    assert json.dumps(found, allow_nan=False)
