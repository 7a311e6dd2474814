"""Run `python -m ui` as a process of its own, on a free port."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

from fakes.serving_process import free_port, until
from repository import ROOT

SOURCES = ("libs/contracts/src", "libs/kit/src", "services/ui/src")
START_SECONDS = 60.0


class PageProcess:
    """A page.

    Args:
        log: the file that it logs to.
        urls: settings that name the services behind it.
        settings: further variables.
    """

    def __init__(self, log: Path, urls: Mapping[str, str], **settings: str) -> None:
        port = free_port()
        self.log = log
        self.url = f"http://127.0.0.1:{port}"
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.env = kept | {
            "PYTHONPATH": os.pathsep.join(str(ROOT / source) for source in SOURCES),
            "UI_PORT": str(port),
            "UI_METRICS_PORT": "0",
            **urls,
            **settings,
        }
        self.start()

    def start(self) -> None:
        """Start it (again)."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ui"], env=self.env, cwd=ROOT, stderr=log, stdout=log
            )

    def ready(self) -> None:
        """Wait until it answers."""
        until(self.answers, START_SECONDS, self.log.read_text)

    def answers(self) -> bool:
        """Return whether it is ready."""
        try:
            return httpx.get(f"{self.url}/ready").status_code == 200
        except httpx.TransportError:
            return False

    def terminate(self) -> float:
        """Ask it to end; return when."""
        self.process.send_signal(signal.SIGTERM)
        return time.monotonic()

    def ended(self, seconds: float) -> int:
        """Wait until it has ended; return its exit status."""
        return self.process.wait(seconds)

    def close(self) -> None:
        """End it in any case."""
        self.process.kill()
        self.process.wait()
