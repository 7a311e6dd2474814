"""Engine processes: what they inherit, and that none outlives its service."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fakes.trainer_app import FAKE_ENGINE, make_settings
from repository import ROOT
from trainer.child import Engine, kill_group, last_words
from trainer.errors import EngineMissingError

SOURCES = os.pathsep.join(
    str(ROOT / part) for part in ("libs/contracts/src", "libs/kit/src", "services/trainer/src")
)


def alive(pid: int) -> bool:
    """Return whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def until_dead(pid: int) -> bool:
    """Return whether a process is gone within five seconds."""
    deadline = time.monotonic() + 5
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not alive(pid)


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
    }
    made = Engine(Path("python"), tmp_path, environ).variables()
    assert (made["PATH"], made["CUDA_VISIBLE_DEVICES"]) == ("/bin", "1")
    assert made["OMP_WAIT_POLICY"] == "ACTIVE"
    assert made["HF_HUB_OFFLINE"] == "1"
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
    python = script(tmp_path, f"sleep 60 & echo $! > {tmp_path}/child; wait")
    engine = Engine(python, tmp_path, {"PATH": os.environ["PATH"]})
    process = await engine.start("any", log=tmp_path / "log")
    child = int(await asyncio.to_thread((tmp_path / "child").read_text))
    await kill_group(process)
    assert process.returncode == -signal.SIGKILL
    assert until_dead(child)
    await kill_group(process)


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


def test_last_words_are_the_last_line_that_says_something(tmp_path: Path) -> None:
    """Blank lines at the end of a log say nothing."""
    log = tmp_path / "log"
    assert last_words(log) == ""
    log.write_text("x" * 9000 + "\nreason\n\n \n")
    assert last_words(log) == "reason"


def test_engine_dies_with_the_service_and_the_run_goes_on_after_a_restart(tmp_path: Path) -> None:
    """kill -9 of the service takes the engine along; the next start resumes the run."""
    settings = make_settings(tmp_path)
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": SOURCES,
        "DATA_DIR": str(settings.data_dir),
        "MODELS_DIR": str(settings.models_dir),
        "TRAINER_STATE_DIR": str(settings.state_dir),
        "TRAINER_ENGINE_PYTHON": str(settings.engine_python),
        "TRAINER_RESERVE_BYTES": "0",
        "TRAINER_PORT": "0",
        "TORCH_FAKE_STEP_SECONDS": "0.1",
    }
    drive = [sys.executable, str(FAKE_ENGINE.with_name("trainer_driver.py"))]
    service = subprocess.Popen([*drive, "start"], env=environ, stdout=subprocess.PIPE)
    assert service.stdout is not None
    run, engine = service.stdout.readline().split()
    assert alive(int(engine))
    service.send_signal(signal.SIGKILL)
    service.wait()
    service.stdout.close()
    assert until_dead(int(engine))
    environ["TORCH_FAKE_STEP_SECONDS"] = "0"
    again = subprocess.run([*drive, "finish"], env=environ, check=True, stdout=subprocess.PIPE)
    assert again.stdout.split() == [run, b"done", b"resumed"]
