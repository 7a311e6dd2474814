"""`kill -9` of the generating process at random moments: nothing lost, doubled or paid for twice.

The real service runs as a child process on a volume of its own; its teacher is a server in this
process that logs every call. The short form runs by default, the long one with `-m engines`.
"""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from contracts.volume import Volume
from datagen.library import load_cards
from datagen.questions import load_banks
from datagen.scripted import ScriptedTeacher
from fakes.teacher import FakeTeacher
from fakes.whole_dataset import expect_whole
from repository import ROOT

DATAGEN = ROOT / "services" / "datagen"
CONCURRENCY = 8
# A start takes two seconds; a machine that is busy with other tests needs far longer.
PATIENCE_SECONDS = 120
PORTS = range(22_000, 22_900)


def free_port() -> int:
    """Return a port of our range that nobody listens on."""
    for port in random.sample(PORTS, 50):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError("no free port")


@contextmanager
def served(fake: FakeTeacher) -> Iterator[str]:
    """Serve the fake teacher from a thread; yield its base URL."""
    port = free_port()
    config = uvicorn.Config(fake, port=port, log_level="error", lifespan="off")
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

    def __init__(self, folder: Path, teacher_url: str) -> None:
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
        return self.process.wait(20)


def wait_for_calls(fake: FakeTeacher, number: int, service: Service) -> None:
    """Wait until the teacher has had `number` calls, or the service has no work left."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if len(fake.calls) >= number:
            return
        assert service.process.poll() is None, (service.folder / "log").read_text()[-2000:]
        time.sleep(0.005)
    raise AssertionError(f"only {len(fake.calls)} of {number} calls")


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
    return {row["id"] for row in httpx.get(path, params={"limit": 1000}).json()}


def run_with_kills(tmp_path: Path, kills: int, per_style: int) -> int:
    """Generate a dataset while the process is killed `kills` times; check every promise.

    Returns how many calls the teacher got twice.
    """
    seed = int(os.environ.get("KILL_SEED", time.time_ns() % 1_000_000))
    chance = random.Random(seed)
    cards = [card for card in load_cards(DATAGEN / "styles") if card.id in ("gentle", "shy")]
    fake = FakeTeacher(
        ScriptedTeacher(lambda: cards, load_banks(DATAGEN / "questions"), 0.1).reply, delay=0.01
    )
    request = {"styles": ["gentle", "shy"], "per_style": per_style, "multi_turn_ratio": 0.3}
    promised: set[str] = set()
    with served(fake) as url:
        service = Service(tmp_path, url)
        service.start()
        service.wait_until_healthy()
        job_id = httpx.post(f"{service.url}/datasets", json=request).json()["id"]
        share = int(2 * per_style * 1.3) // (kills + 1)
        for _ in range(kills):
            # Only a kill in the middle of the work proves anything.
            wait_for_calls(fake, len(fake.calls) + chance.randint(1, share), service)
            if chance.random() < 0.3:
                service.wait_until_healthy()
                promised |= acknowledged(service, job_id)
            time.sleep(chance.uniform(0, 0.02))
            service.kill()
            service.start()
        service.wait_until_healthy()
        job = finished(service, job_id)
        assert service.stop() == 0
    assert job["state"] == "done", (seed, job)
    return expect_whole(
        Volume(tmp_path / "data"),
        job_id,
        quota={"gentle": per_style, "shy": per_style},
        promised=promised,
        asked_seeds=[call["seed"] for call in fake.calls],
        hint=seed,
    )


def test_dataset_is_whole_after_three_kills(tmp_path: Path) -> None:
    """The short form, for every change."""
    assert run_with_kills(tmp_path, kills=3, per_style=60) <= 3 * CONCURRENCY


@pytest.mark.engines
def test_dataset_is_whole_after_thirty_kills(tmp_path: Path) -> None:
    """The figure of the README: 30 kills, 0 lost, 0 doubled, none paid twice but in flight."""
    assert run_with_kills(tmp_path, kills=30, per_style=300) <= 30 * CONCURRENCY
