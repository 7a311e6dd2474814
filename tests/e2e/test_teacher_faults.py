"""A teacher that fails in every way, black-outs and `kill -9` in one run: every promise is kept.

30 % of the calls are throttled, broken, hung, cut, garbage, in another language, empty or huge. The
quota is met exactly, no row is lost or doubled, the teacher's own bill never exceeds the budget,
and memory stays bounded. The short form runs by default, the long one with `make bench-faults`,
which shows its figures.
"""

import logging
import os
import random
import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.volume import Volume
from datagen.library import load_cards
from datagen.questions import load_banks
from datagen.scripted import ScriptedTeacher
from fakes.faulty_teacher import INPUT_DOLLARS, OUTPUT_DOLLARS, FaultyTeacher
from fakes.generating_service import DATAGEN, Service, acknowledged, served
from fakes.whole_dataset import expect_whole

logger = logging.getLogger(__name__)
STYLES = ["gentle", "shy"]
MOST_MEGABYTES = 512
PATIENCE_SECONDS = 600


class Ordeal:
    """One dataset, its service, and all that happens to it.

    Args:
        folder: of the service.
        url: of the teacher.
        teacher: behind it.
        budget: dollars at first.
        chance: decides when something happens.
    """

    def __init__(
        self, folder: Path, url: str, teacher: FaultyTeacher, budget: float, chance: random.Random
    ) -> None:
        settings = {
            "DATAGEN_TEACHER_CONCURRENCY": "32",
            "DATAGEN_TEACHER_TIMEOUT_SECONDS": "1",
            "TEACHER_INPUT_DOLLARS": str(INPUT_DOLLARS),
            "TEACHER_OUTPUT_DOLLARS": str(OUTPUT_DOLLARS),
            "DATAGEN_BUDGET_DOLLARS": str(budget),
        }
        self.service = Service(folder, url, **settings)
        self.teacher, self.budget, self.chance = teacher, budget, chance
        self.promised: set[str] = set()
        self.megabytes = 0.0
        self.kills = self.black_outs = self.failed = 0
        self.job_id = ""

    def begin(self, per_style: int) -> None:
        """Start the service and the generation."""
        self.service.start()
        self.service.wait_until_healthy()
        request = {"styles": STYLES, "per_style": per_style, "max_attempts": 20}
        answer = httpx.post(f"{self.service.url}/datasets", json=request)
        self.job_id = answer.raise_for_status().json()["id"]

    def job(self) -> dict[str, Any]:
        """Return the job, after a look at memory and at the bill."""
        assert self.service.process.poll() is None, (self.service.folder / "log").read_text()[
            -2000:
        ]
        status = Path(f"/proc/{self.service.process.pid}/status").read_text()
        peak = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert peak
        self.megabytes = max(self.megabytes, int(peak[1]) / 1024)
        assert self.teacher.dollars <= self.budget, "the teacher's bill is over the budget"
        job: dict[str, Any] = httpx.get(f"{self.service.url}/datasets/jobs/{self.job_id}").json()
        return job

    def run_on(self, calls: int) -> dict[str, Any]:
        """Wait until the teacher had so many more calls, or the job has ended; return the job."""
        until, deadline = len(self.teacher.calls) + calls, time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            job = self.job()
            if job["state"] not in ("queued", "running") or len(self.teacher.calls) >= until:
                return job
            time.sleep(0.02)
        raise AssertionError(job)

    def kill(self) -> None:
        """Kill the service without warning, and start it again."""
        self.promised |= acknowledged(self.service, self.job_id)
        time.sleep(self.chance.uniform(0, 0.05))
        self.service.kill()
        self.kills += 1
        self.service.start()
        self.service.wait_until_healthy()

    def black_out(self) -> None:
        """Let the teacher answer nobody for three seconds."""
        self.teacher.dark = True
        self.black_outs += 1
        time.sleep(3)
        self.teacher.dark = False

    def raise_budget(self, dollars: float) -> None:
        """Do what the error's hint says: a larger budget, a restart, and on with the job."""
        self.service.stop()
        self.budget = dollars
        self.service.environ["DATAGEN_BUDGET_DOLLARS"] = str(dollars)
        self.service.start()
        self.service.wait_until_healthy()
        httpx.post(f"{self.service.url}/datasets/jobs/{self.job_id}/resume").raise_for_status()


def survive(ordeal: Ordeal, *, kills: int, black_outs: int, step: int) -> dict[str, Any]:
    """Let everything happen while the job works; return the job when it is done."""
    ahead = ["kill"] * kills + ["black out"] * black_outs
    ordeal.chance.shuffle(ahead)
    while True:
        job = ordeal.run_on(ordeal.chance.randint(1, step) if ahead else 10**9)
        if job["state"] == "failed" and job["error"]["code"] == "budget_spent":
            ordeal.failed += 1
            ordeal.raise_budget(1000.0)
        elif job["state"] not in ("queued", "running"):
            assert not ahead, f"the job ended before {ahead}"
            return job
        elif ahead:
            ordeal.kill() if ahead.pop() == "kill" else ordeal.black_out()


def run(folder: Path, *, per_style: int, kills: int, black_outs: int, budget: float) -> Ordeal:
    """Generate a dataset against all odds, and check it."""
    seed = int(os.environ.get("KILL_SEED", time.time_ns() % 1_000_000))
    cards = [card for card in load_cards(DATAGEN / "styles") if card.id in STYLES]
    scripted = ScriptedTeacher(lambda: cards, load_banks(DATAGEN / "questions"), 0.1)
    teacher = FaultyTeacher(scripted.reply, share=0.3, seed=seed)
    with served(teacher) as url:
        ordeal = Ordeal(folder, url, teacher, budget, random.Random(seed))
        ordeal.begin(per_style)
        # All of it in the first half: the job goes on while we look, and must not end before.
        step = per_style * len(STYLES) // (2 * (kills + black_outs))
        job = survive(ordeal, kills=kills, black_outs=black_outs, step=step)
        assert ordeal.service.stop() == 0
    assert job["state"] == "done", (seed, job)
    assert (ordeal.kills, ordeal.black_outs, ordeal.failed) == (kills, black_outs, 1), seed
    assert ordeal.megabytes < MOST_MEGABYTES, seed
    again = expect_whole(
        Volume(folder / "data"),
        ordeal.job_id,
        quota=dict.fromkeys(STYLES, per_style),
        promised=ordeal.promised,
        asked_seeds=[call["seed"] for call in teacher.calls],
        hint=seed,
    )
    figures = {
        "seed": seed,
        "rows": per_style * len(STYLES),
        "calls": len(teacher.calls),
        "asked again": again,
        "troubles": teacher.troubles,
        "kills": kills,
        "black-outs": black_outs,
        "megabytes": round(ordeal.megabytes),
        "dollars": round(teacher.dollars, 3),
    }
    logger.info("%s", figures)
    return ordeal


def test_rows_and_money_survive_a_bad_teacher(tmp_path: Path) -> None:
    """The short form, for every change: two kills, one black-out, a budget that is too small."""
    ordeal = run(tmp_path, per_style=40, kills=2, black_outs=1, budget=0.15)
    assert len(ordeal.promised) <= 80


@pytest.mark.engines
def test_rows_and_money_survive_twenty_kills_and_three_black_outs(tmp_path: Path) -> None:
    """The figure of docs/log.md: 2,000 rows."""
    logging.getLogger("httpx").setLevel(logging.WARNING)
    ordeal = run(tmp_path, per_style=1000, kills=20, black_outs=3, budget=3.0)
    assert len(ordeal.teacher.troubles) == 8
