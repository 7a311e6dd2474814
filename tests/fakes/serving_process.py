"""Run `python -m serving` as a process of its own, on free ports and a volume of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx

from contracts.artefact import ServingStatus
from contracts.volume import Volume
from repository import ROOT

Found = TypeVar("Found")
SOURCES = ("libs/contracts/src", "libs/kit/src", "services/serving/src")
PORTS = range(23_000, 24_000)


def free_port() -> int:
    """Return a port of our range that nobody listens on, and that we did not return before.

    Processes that run beside one another begin at places that are far apart.
    """
    first = os.getpid() * 97
    for port in (PORTS[(first + step) % len(PORTS)] for step in range(len(PORTS))):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            if port not in given:
                given.add(port)
                return port
    raise OSError("no free port")


given: set[int] = set()


def fake_engine(folder: Path, **variables: str) -> Path:
    """Write a program that takes vLLM's place as `SERVING_ENGINE_PYTHON`; return its path."""
    script = folder / "fake-engine"
    exports = "".join(f"export {name}={value}\n" for name, value in variables.items())
    server = ROOT / "tests/fakes/vllm_server.py"
    script.write_text(f'#!/bin/sh\n{exports}exec "{sys.executable}" "{server}" "$@"\n')
    script.chmod(0o755)
    return script


class ServingProcess:
    """A launcher and its engine.

    Args:
        folder: for the volume, the state and the log.
        engine_python: the real engine's interpreter, or a program that takes its place.
        models_dir: where the base models lie.
        settings: further variables.
    """

    def __init__(
        self, folder: Path, engine_python: Path, models_dir: Path, **settings: str
    ) -> None:
        self.volume = Volume(folder / "data")
        self.state_dir = folder / "state"
        self.log_path = folder / "serving.log"
        self.port, self.control_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.control_url = f"http://127.0.0.1:{self.control_port}"
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.env = kept | {
            "PYTHONPATH": os.pathsep.join(str(ROOT / source) for source in SOURCES),
            "DATA_DIR": str(self.volume.root),
            "MODELS_DIR": str(models_dir),
            "SERVING_STATE_DIR": str(self.state_dir),
            "SERVING_ENGINE_PYTHON": str(engine_python),
            "SERVING_PORT": str(self.port),
            "SERVING_CONTROL_PORT": str(self.control_port),
            **settings,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the launcher."""
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "serving"], env=self.env, cwd=ROOT, stderr=log, stdout=log
            )

    def stop(self) -> int:
        """End the launcher in order; return its exit code."""
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(90)
        finally:
            self.process.kill()

    def status(self) -> ServingStatus:
        """Return what the launcher says."""
        return ServingStatus.model_validate_json(httpx.get(f"{self.control_url}/status").content)

    def wait(self, wanted: Callable[[ServingStatus], bool], seconds: float) -> ServingStatus:
        """Return the first status that `wanted` accepts."""
        return until(lambda: self.accepted(wanted), seconds, self.log_tail)

    def accepted(self, wanted: Callable[[ServingStatus], bool]) -> ServingStatus | None:
        """Return the status if it is a wanted one."""
        try:
            status = self.status()
        except httpx.TransportError:
            return None
        return status if wanted(status) else None

    def ready(self, seconds: float = 60.0) -> ServingStatus:
        """Wait until it serves."""
        return self.wait(lambda status: status.state == "ready", seconds)

    def chat(self, model: str, text: str = "你好", **more: Any) -> httpx.Response:
        """Ask for a reply."""
        messages = [{"role": "user", "content": text}]
        body = {"model": model, "messages": messages, "max_tokens": 8, "temperature": 0} | more
        return httpx.post(f"{self.url}/v1/chat/completions", json=body, timeout=300)

    def token(self) -> dict[str, str]:
        """Return the headers with which the launcher itself speaks to its engine."""
        gate = json.loads((self.state_dir / "gate.json").read_text())
        return {"x-tonesmith-token": gate["token"]}

    def log_tail(self) -> str:
        """Return the end of the log."""
        return self.log_path.read_text()[-3000:]

    def log_lines(self) -> list[dict[str, Any]]:
        """Return the structured lines of the log."""
        lines = self.log_path.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


def until(
    attempt: Callable[[], Found | None], seconds: float, explain: Callable[[], str] = str
) -> Found:
    """Return the first true answer of `attempt`, asked every 50 ms."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := attempt():
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s; {explain()}")
