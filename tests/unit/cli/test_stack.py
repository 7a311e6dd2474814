"""The embedded stack with stand-in services: real processes, a real supervisord.

Starting and stopping is mostly waiting, so all scenarios run side by side, once; each test looks
at what one of them left.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from repository import ROOT
from tonesmith.stack.embedded import end_all, last_lines, living
from tonesmith.stack.ports import USUAL, any_free
from tonesmith.stack.supervisor import Supervisor

SOURCES = ("libs/contracts", "libs/kit", "libs/client", "cli")
PATHS = [ROOT / "tests/fakes/stand_ins", *(ROOT / source / "src" for source in SOURCES)]
# Far more than it takes, so that a busy machine does not look like a fault.
SECONDS = 90.0
SIDE_BY_SIDE = 4
VERSIONS = {"llamafactory": "1", "vllm": "2", "torch": "3"}
# up itself, supervisord, and four services with a child each
PROCESSES = 10


@dataclass
class Left:
    """What a scenario left: exit code, words, how many processes it had and which still live."""

    code: int
    said: str
    started: int = 0
    alive: list[psutil.Process] = field(default_factory=list)


class Place:
    """A folder in which `tonesmith` runs as a process of its own, with stand-in services."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        folder.mkdir()
        engine = folder / "engine"
        engine.write_text(f"#!/bin/sh\necho '{json.dumps(VERSIONS)}'\n")
        engine.chmod(0o700)
        base = folder / "bases" / "starter"
        base.mkdir(parents=True)
        for name in ("config.json", "model.safetensors", "tokenizer.json"):
            (base / name).touch()
        self.environ = {
            "PATH": os.environ["PATH"],
            "DOCKER_HOST": "unix:///nowhere/docker.sock",
            "PYTHONPATH": os.pathsep.join(map(str, PATHS)),
            "TRAINER_ENGINE_PYTHON": str(engine),
            "SERVING_ENGINE_PYTHON": str(engine),
            "MODELS_DIR": str(base.parent),
            **{name: str(any_free()) for name in USUAL},
            **environ,
        }
        self.supervisor = Supervisor(folder / "var/embedded/supervisor.sock")
        self.seen: set[psutil.Process] = set()
        self.commands: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tonesmith", *arguments],
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.commands.append(process)
        return process

    def clean(self) -> None:
        """End what a failed scenario may have left."""
        for process in self.commands:
            if process.poll() is None:
                process.terminate()
            process.communicate(timeout=SECONDS)
        if self.supervisor.running:
            self.note(self.supervisor.pid())
        end_all(self.seen)

    def run(self, *arguments: str) -> Left:
        """Run a command to its end."""
        return self.left(self.start(*arguments))

    def up(self) -> subprocess.Popen[str]:
        """Start the stack in the foreground and wait until all of it is up."""
        process = self.start("up")
        assert process.stdout
        for line in process.stdout:
            if "Ctrl-C" in line:
                break
        else:
            raise AssertionError("the stack did not come up")
        self.note(process.pid)
        return process

    def note(self, pid: int) -> None:
        """Remember a process and everything below it."""
        root = psutil.Process(pid)
        self.seen |= {root, *root.children(recursive=True)}

    def left(self, process: subprocess.Popen[str]) -> Left:
        """Wait for the end of a command, and return what is left."""
        said, _ = process.communicate(timeout=SECONDS)
        alive = [found for found in self.seen if living(found)]
        return Left(process.returncode, said, len(self.seen), alive)


def wait(reached: Callable[[], object], what: str) -> None:
    """Wait until something is so; fail if it takes too long."""
    deadline = time.monotonic() + SECONDS
    while not reached():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def ctrl_c(place: Place) -> Left:
    """Interrupt `up` as a terminal does."""
    process = place.up()
    process.send_signal(signal.SIGINT)
    return place.left(process)


def killed(place: Place) -> Left:
    """Kill `up` so that it can do nothing any more."""
    process = place.up()
    process.kill()
    services = {found for found in place.seen if "sleep(60)" not in " ".join(found.cmdline())}
    wait(lambda: not any(living(found) for found in services), "all services gone")
    left = place.left(process)
    left.alive = [found for found in left.alive if found in services]
    return left


def supervisord_killed(place: Place) -> Left:
    """Kill supervisord under `up`."""
    process = place.up()
    os.kill(place.supervisor.pid(), signal.SIGKILL)
    return place.left(process)


def detached(place: Place) -> list[Left]:
    """Start detached, try to start a second one, stop."""
    first = place.run("up", "--detach")
    place.note(place.supervisor.pid())
    return [first, place.run("up"), place.run("down"), place.run("down")]


def failing(place: Place) -> Left:
    """Start with a program that ends at once."""
    place.environ["STAND_IN_FAILS"] = "trainer"
    return place.run("up")


def demo(place: Place) -> Left:
    """Run the demo with services that can start, and nothing else."""
    old = place.folder / "var" / "demo" / "data" / "old"
    old.mkdir(parents=True)
    return place.run("demo")


def without_engines(place: Place) -> Left:
    """Start without an engine."""
    place.environ["SERVING_ENGINE_PYTHON"] = "/nowhere/python"
    return place.run("up")


SCENARIOS = (ctrl_c, killed, supervisord_killed, detached, failing, demo, without_engines)
Results = dict[str, Future[Left | list[Left]]]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Place]:
    """A folder for each scenario."""
    root = tmp_path_factory.mktemp("stacks")
    return {scenario.__name__: Place(root / scenario.__name__) for scenario in SCENARIOS}


@pytest.fixture(scope="module")
def results(places: dict[str, Place]) -> Results:
    """What each scenario left; whatever happens, none of its processes is left behind."""
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        found: Results = {
            scenario.__name__: pool.submit(scenario, places[scenario.__name__])
            for scenario in SCENARIOS
        }
    for place in places.values():
        place.clean()
    return found


def one(results: Results, name: str) -> Left:
    """Return what a scenario left."""
    found = results[name].result()
    assert isinstance(found, Left)
    return found


def test_ctrl_c_stops_everything_that_up_started(results: Results) -> None:
    """Services, and their children in sessions of their own."""
    left = one(results, "ctrl_c")
    assert left.code == 0
    assert left.started == PROCESSES
    assert "all stopped" in left.said
    assert left.alive == []


def test_kill_of_the_command_line_leaves_no_service(results: Results) -> None:
    """After kill -9 of `up`, supervisord hears of it from the kernel and stops its programs."""
    left = one(results, "killed")
    assert left.started == PROCESSES
    assert left.alive == []


def test_kill_of_supervisord_is_noticed_and_leaves_no_process(results: Results) -> None:
    """The services hear of it from the kernel, the command line says so and fails."""
    left = one(results, "supervisord_killed")
    assert left.code == 1
    assert "supervisord does not run" in left.said
    assert left.alive == []


def test_detached_stack_stays_until_down(results: Results) -> None:
    """`up --detach` comes back, a second one is refused, `down` stops everything."""
    found = results["detached"].result()
    assert isinstance(found, list)
    first, refused, down, idle = found
    assert first.code == 0
    assert (refused.code, len(refused.alive)) == (1, PROCESSES - 1)
    assert (down.code, down.alive) == (0, [])
    assert (idle.code, "nothing runs" in idle.said) == (0, True)


def test_program_that_fails_is_shown_with_its_last_words(
    results: Results, places: dict[str, Place]
) -> None:
    """`up` names it, shows the end of its log, stops the others and fails."""
    left = one(results, "failing")
    assert left.code == 1
    assert "trainer does not run" in left.said
    assert "trainer: no such base model" in left.said
    assert not places["failing"].supervisor.running


def test_up_without_engines_says_how_to_install_them(results: Results) -> None:
    """Nothing is started."""
    left = one(results, "without_engines")
    assert left.code == 1
    assert "SERVING_ENGINE_PYTHON" in left.said
    assert "make engines" in left.said


def test_demo_names_the_stage_that_failed_and_stops(
    results: Results, places: dict[str, Place]
) -> None:
    """Stand-ins start but cannot generate: the stage is named, an old demo is gone, all stops."""
    left = one(results, "demo")
    assert left.code == 1
    assert "start the services:" in left.said
    assert "stage generate failed" in left.said
    assert "all stopped" in left.said
    root = places["demo"].folder / "var" / "demo"
    assert not (root / "data" / "old").exists()
    assert not (root / "report.json").exists()
    assert not Supervisor(root / "embedded" / "supervisor.sock").running


def test_process_that_ignores_sigterm_is_killed() -> None:
    """What does not end politely is ended all the same, and told."""
    script = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(); "
    with subprocess.Popen(
        [sys.executable, "-c", script + "time.sleep(60)"], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.readline()
        assert end_all({psutil.Process(process.pid)}, grace=0.1) == [process.pid]
        assert process.wait(SECONDS) == -signal.SIGKILL


def test_last_lines_of_a_log(tmp_path: Path) -> None:
    """The end of the file, as text whatever its bytes; nothing where there is none."""
    (tmp_path / "x.log").write_bytes(b"one\ntwo\xff\nthree\n")
    assert last_lines(tmp_path / "x.log", 2) == "two\ufffd\nthree"
    assert last_lines(tmp_path / "y.log") == ""
