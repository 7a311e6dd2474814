"""The real datagen as a child process on a volume of its own, to be killed and started again."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from fakes.serving_process import free_port
from fakes.teacher import FakeTeacher
from repository import ROOT

DATAGEN = ROOT / "services" / "datagen"
CONCURRENCY = 8
# A start takes two seconds; a machine that is busy with other tests needs far longer.
PATIENCE_SECONDS = 120


@contextmanager
def served(fake: FakeTeacher) -> Iterator[str]:
    """Serve the fake teacher from a thread; yield its base URL."""
    port = free_port()
    config = uvicorn.Config(
        fake, port=port, log_level="critical", lifespan="off", timeout_graceful_shutdown=5
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.should_exit = True
        thread.join(10)


class Service:
    """The datagen service as a child process that can be killed and started again."""

    def __init__(self, folder: Path, teacher_url: str, **settings: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        sources = [ROOT / part for part in ("libs/contracts/src", "libs/kit/src")]
        self.environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(map(str, [*sources, DATAGEN / "src"])),
            "DATA_DIR": str(folder / "data"),
            "DATAGEN_STATE_DIR": str(folder / "state"),
            "DATAGEN_PORT": str(self.port),
            "DATAGEN_TEACHER_CONCURRENCY": str(CONCURRENCY),
            "TEACHER_BASE_URL": teacher_url,
            "TEACHER_MODEL": "fake",
            **settings,
        }

    def start(self) -> None:
        """Start the process."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "datagen"], env=self.environ, stderr=log
            )

    def wait_until_healthy(self) -> None:
        """Wait until the service answers."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                httpx.get(f"{self.url}/health").raise_for_status()
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError((self.folder / "log").read_text()[-2000:])

    def kill(self) -> None:
        """End the process without any warning."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """End the process politely; return its exit code."""
        self.process.terminate()
        return self.process.wait(PATIENCE_SECONDS)


def finished(service: Service, job_id: str) -> dict[str, Any]:
    """Wait for the job's final state."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        job: dict[str, Any] = httpx.get(f"{service.url}/datasets/jobs/{job_id}").json()
        if job["state"] not in ("queued", "running"):
            return job
        time.sleep(0.05)
    raise AssertionError(job)


def acknowledged(service: Service, job_id: str) -> set[str]:
    """Return the ids of the rows that the service shows: each was promised to last."""
    path = f"{service.url}/datasets/{job_id}/samples"
    found: set[str] = set()
    while len(found) % 1000 == 0:
        page = httpx.get(path, params={"limit": 1000, "offset": len(found)}).json()
        if not page:
            break
        found |= {row["id"] for row in page}
    return found
