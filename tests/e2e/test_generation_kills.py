"""`kill -9` of the generating process at random moments: nothing lost, doubled or paid for twice.

The real service runs as a child process on a volume of its own; its teacher is a server in this
process that logs every call. The short form runs by default, the long one with `-m engines`.
"""

import os
import random
import time
from pathlib import Path

import httpx
import pytest

from contracts.volume import Volume
from datagen.library import load_cards
from datagen.questions import load_banks
from datagen.scripted import ScriptedTeacher
from datagen.turns import tasks_for
from fakes.generating_service import (
    CONCURRENCY,
    DATAGEN,
    PATIENCE_SECONDS,
    Service,
    acknowledged,
    finished,
    served,
)
from fakes.teacher import FakeTeacher
from fakes.whole_dataset import expect_whole


def wait_for_calls(fake: FakeTeacher, number: int, service: Service) -> None:
    """Wait until the teacher has had `number` calls, or the service has no work left."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if len(fake.calls) >= number:
            return
        assert service.process.poll() is None, (service.folder / "log").read_text()[-2000:]
        time.sleep(0.005)
    raise AssertionError(f"only {len(fake.calls)} of {number} calls")


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
    fake.limit = 0  # only a kill in the middle of the work proves anything
    with served(fake) as url:
        service = Service(tmp_path, url)
        service.start()
        service.wait_until_healthy()
        job_id = httpx.post(f"{service.url}/datasets", json=request).json()["id"]
        share = int(2 * per_style * 1.3) // (kills + 1)
        for _ in range(kills):
            fake.limit = len(fake.calls) + chance.randint(1, share)
            wait_for_calls(fake, fake.limit, service)
            if chance.random() < 0.3:
                service.wait_until_healthy()
                promised |= acknowledged(service, job_id)
            time.sleep(chance.uniform(0, 0.02))
            service.kill()
            service.start()
        fake.limit = None
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
    assert run_with_kills(tmp_path, kills=3, per_style=60) <= 3 * tasks_for(CONCURRENCY)


@pytest.mark.engines
def test_dataset_is_whole_after_thirty_kills(tmp_path: Path) -> None:
    """The figure of the README: 30 kills, 0 lost, 0 doubled, none paid twice but in flight."""
    assert run_with_kills(tmp_path, kills=30, per_style=300) <= 30 * tasks_for(CONCURRENCY)
