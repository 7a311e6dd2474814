"""Engine processes: what they inherit, and that none outlives its service."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from trainer.child import Engine, launch, log_tail
from trainer.errors import EngineMissingError
from trainer.processes import identity_of, marked


def until_dead(pid: int) -> bool:
    """Return whether a process is gone within half a minute."""
    deadline = time.monotonic() + 30
    while identity_of(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not identity_of(pid)


def until_marked(engine: Engine, count: int) -> list[int]:
    """Return the processes of an engine once there are so many.

    One that is just becoming another program shows no environment for a moment.
    """
    deadline = time.monotonic() + 30
    while len(found := marked(engine.mark)) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


def script(folder: Path, body: str) -> Path:
    """Write an executable shell script."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def test_secrets_and_our_own_settings_stay_out_of_the_engine(tmp_path: Path) -> None:
    """Only what is on the list is inherited."""
    environ = {
        "PATH": "/bin",
        "CUDA_VISIBLE_DEVICES": "1",
        "OMP_WAIT_POLICY": "ACTIVE",
        "TEACHER_API_KEY": "secret",
        "TRAINER_PORT": "1",
        "HF_TOKEN": "secret",
        "PET_NNODES": "2",
    }
    made = Engine(Path("python"), tmp_path, environ).variables()
    assert (made["PATH"], made["CUDA_VISIBLE_DEVICES"]) == ("/bin", "1")
    assert made["OMP_WAIT_POLICY"] == "ACTIVE"
    assert made["HF_HUB_OFFLINE"] == "1"
    assert made["PET_NNODES"] == "2"
    assert "secret" not in made.values()
    assert "TRAINER_PORT" not in made
    assert Engine(Path("p"), tmp_path, {}).variables()["OMP_WAIT_POLICY"] == "PASSIVE"


async def test_missing_engine_says_what_to_do(tmp_path: Path) -> None:
    """No environment, no run: the error names the setting."""
    engine = Engine(tmp_path / "nothing", tmp_path, {})
    with pytest.raises(EngineMissingError, match="TRAINER_ENGINE_PYTHON"):
        await engine.start("trainer.engine.run", log=tmp_path / "log")


async def test_killing_an_engine_kills_what_it_started(tmp_path: Path) -> None:
    """The whole process group goes."""
    os.mkfifo(tmp_path / "child")
    # One in its group, and one in a session of its own as a rank of torchrun is.
    body = f"sleep 60 & one=$!; setsid sleep 60 & echo $one $! > {tmp_path}/child; wait"
    engine = Engine(script(tmp_path, body), tmp_path, {"PATH": os.environ["PATH"]})
    child = await engine.start("any", log=tmp_path / "log")
    started = (await asyncio.to_thread((tmp_path / "child").read_text)).split()
    await asyncio.to_thread(until_marked, engine, 3)
    await child.kill()
    assert await child.wait() == -signal.SIGKILL
    assert all(until_dead(int(pid)) for pid in started)
    assert marked(engine.mark) == []
    await child.kill()


async def test_engine_is_never_started_beside_another(tmp_path: Path) -> None:
    """One that was left over, by whomever, is killed first; another service's is left alone."""
    python = script(tmp_path, "exec sleep 60")
    environ = {"PATH": os.environ["PATH"]}
    engine, other = (Engine(python, tmp_path / name, environ) for name in ("one", "other"))
    foreign = await other.start("any", log=tmp_path / "log")
    first = await engine.start("any", log=tmp_path / "log")
    second = await engine.start("any", log=tmp_path / "log")
    assert await first.wait() == -signal.SIGKILL
    assert await asyncio.to_thread(until_marked, engine, 1) == [second.process.pid]
    assert await asyncio.to_thread(until_marked, other, 1) == [foreign.process.pid]
    for child in (second, foreign):
        await child.kill()


@pytest.mark.parametrize(
    ("processes", "environ", "words"),
    [
        (1, {}, ["m"]),
        (2, {}, ["torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "m"]),
        (2, {"PET_NNODES": "2"}, ["torch.distributed.run", "--nproc-per-node", "2", "-m", "m"]),
        (2, {"PET_NPROC_PER_NODE": "4"}, ["torch.distributed.run", "-m", "m"]),
    ],
)
def test_several_processes_are_started_by_torchrun(
    processes: int, environ: dict[str, str], words: list[str]
) -> None:
    """Kubeflow Trainer's variables say how machines meet; alone, nobody has to be met."""
    assert launch("m", processes, environ) == words


async def test_asking_fails_with_the_programs_last_words(tmp_path: Path) -> None:
    """A crash of the checking program is told by its last line."""
    engine = Engine(script(tmp_path, "echo one >&2; echo 'Error: two' >&2; exit 3"), tmp_path, {})
    with pytest.raises(ValueError, match="Error: two"):
        await engine.ask("any", {}, 5)


async def test_asking_takes_no_longer_than_it_may(tmp_path: Path) -> None:
    """A program that hangs is killed."""
    engine = Engine(script(tmp_path, "exec sleep 60"), tmp_path, {"PATH": os.environ["PATH"]})
    with pytest.raises(TimeoutError):
        await engine.ask("any", {}, 0.1)


def test_tail_of_a_log_has_the_lines_that_say_something(tmp_path: Path) -> None:
    """Blank lines say nothing, and what an earlier engine wrote is not this one's."""
    log = tmp_path / "log"
    assert log_tail(log) == []
    log.write_text("x" * 20_000 + "\nreason\n\n \n")
    assert log_tail(log)[-1] == "reason"
    assert log_tail(log, log.stat().st_size) == []
