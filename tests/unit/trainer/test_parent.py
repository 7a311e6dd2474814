"""An engine whose service is gone: how long it goes on, and how it ends."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fakes.clock import FakeClock
from repository import ROOT
from trainer.engine import parent
from trainer.engine.parent import SAVE_SECONDS, Watch

SERVICE, HEIR = 10, 20


class World:
    """Processes that can be started and ended, and the engine's watch among them."""

    def __init__(self, folder: Path, grace: float) -> None:
        self.clock = FakeClock()
        self.starts: dict[int, int] = {SERVICE: 100}
        self.killed = 0
        self.folder = folder
        self.watch = Watch(
            folder,
            SERVICE,
            grace,
            since=self.starts.get,
            clock=self.clock,
            kill=self.kill,
        )

    def kill(self) -> None:
        """Count the kills."""
        self.killed += 1

    def after(self, seconds: float) -> "World":
        """Let time pass and look."""
        self.clock.now += seconds
        self.watch.look()
        return self

    @property
    def asked(self) -> bool:
        """Whether the engine was asked to save and stop."""
        return (self.folder / "cancel").exists()


def test_engine_is_left_alone_while_its_service_lives(tmp_path: Path) -> None:
    """However long that is."""
    world = World(tmp_path, 60).after(1e6)
    assert not world.asked
    assert not world.killed


def test_engine_without_a_service_saves_and_stops_after_the_grace(tmp_path: Path) -> None:
    """And is killed where even that hangs."""
    world = World(tmp_path, 60).after(0)
    del world.starts[SERVICE]
    assert not world.after(0).after(59).asked
    assert world.after(2).asked
    assert not world.killed
    assert world.after(SAVE_SECONDS).killed


def test_adopted_engine_goes_on(tmp_path: Path) -> None:
    """The new service is watched as the old one was."""
    world = World(tmp_path, 60).after(0)
    del world.starts[SERVICE]
    world.after(30)
    world.starts[HEIR] = 200
    (tmp_path / "adopted.json").write_text(json.dumps({"pid": HEIR}))
    assert not world.after(1).after(1e6).asked
    world.starts[HEIR] = 300  # another process got the number
    assert world.after(0).after(61).asked


def test_service_of_the_same_number_is_another_one(tmp_path: Path) -> None:
    """Process numbers come again."""
    world = World(tmp_path, 60).after(0)
    world.starts[SERVICE] = 999
    assert world.after(0).after(61).asked


def test_engine_without_grace_dies_at_once(tmp_path: Path) -> None:
    """Under a launcher the kernel cannot tie it to the service itself."""
    world = World(tmp_path, 0).after(0)
    del world.starts[SERVICE]
    assert world.after(0).killed
    assert not world.asked


def test_process_that_no_service_started_is_not_watched(tmp_path: Path) -> None:
    """A run by hand, or on a node of its own, has no service."""
    parent.guard(tmp_path, 60, {})
    parent.guard(tmp_path, 0, {})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("grace", [0.0, 60.0])
def test_only_an_engine_with_grace_outlives_its_service(tmp_path: Path, grace: float) -> None:
    """Without, the kernel kills it together with the service."""
    engine = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from trainer.engine.parent import guard\n"
        "guard(Path(sys.argv[1]), float(sys.argv[2]))\n"
        "print(1, flush=True)\n"
        "time.sleep(600)\n"
    )
    service = (
        "import os, subprocess, sys\n"
        "os.environ['TONESMITH_PARENT'] = str(os.getpid())\n"
        f"engine = subprocess.Popen([sys.executable, '-c', {engine!r}, *sys.argv[1:]],\n"
        "    start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)\n"
        "engine.stdout.readline()\n"
        "print(engine.pid, flush=True)\n"
        "os._exit(0)\n"
    )
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "services/trainer/src")}
    command = [sys.executable, "-c", service, str(tmp_path), str(grace)]
    done = subprocess.run(command, env=environ, check=True, capture_output=True, text=True)
    pid = int(done.stdout)
    if grace:
        assert alive(pid)
        os.kill(pid, signal.SIGKILL)
    until_gone(pid)
    assert not alive(pid)


def alive(pid: int) -> bool:
    """Return whether a process runs."""
    return parent.started(pid) is not None


def until_gone(pid: int) -> None:
    """Wait until a process is gone, a minute at most."""
    deadline = time.monotonic() + 60
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
