"""Folders in which `tonesmith` runs as a process of its own, with stand-ins for the services."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from repository import ROOT
from tonesmith.stack.embedded import end_all, living
from tonesmith.stack.ports import USUAL, any_free
from tonesmith.stack.supervisor import Supervisor

SOURCES = ("libs/contracts", "libs/kit", "libs/client", "cli")
PATHS = [ROOT / "tests/fakes/stand_ins", *(ROOT / source / "src" for source in SOURCES)]
# Far more than it takes, so that a busy machine does not look like a fault.
SECONDS = 90.0
VERSIONS = {"llamafactory": "1", "vllm": "2", "torch": "3"}


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

    def give_prometheus(self, script: str) -> None:
        """Put a program of that name on PATH, and the real configuration where `up` looks."""
        (self.folder / "bin").mkdir()
        program = self.folder / "bin" / "prometheus"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o700)
        (self.folder / "monitoring").symlink_to(ROOT / "monitoring")
        self.environ["PATH"] = f"{program.parent}{os.pathsep}{self.environ['PATH']}"

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
