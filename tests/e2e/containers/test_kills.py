"""Services killed at random while data is generated and a model trained: nothing is lost.

`KILL_SEED=N` repeats a choice of services and moments.
"""

import os
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from compose_file import SERVICES
from contracts.dataset import DatasetManifest, DatasetRequest
from contracts.job import Job, JobState
from contracts.run import Overrides, RunRequest
from contracts.volume import Volume
from fakes.compose_project import ComposeProject, until
from fakes.teacher_container import TeacherContainer
from fakes.whole_dataset import expect_whole

pytestmark = pytest.mark.container
NAMES = [service.name for service in SERVICES]
SEED = int(os.environ.get("KILL_SEED", time.time_ns() % 1_000_000))
KILLS = 20
# Each service at least so often; chance decides about the others.
AT_LEAST = 3
STYLES = ["gentle", "shy"]
PER_STYLE = 250
# So slow that the work outlasts the kills, below the patience of 60 s; many run side by side.
CALL_SECONDS = 12.0
CALLS_AT_ONCE = 16
STEPS, SAVE_STEPS = 300, 10
HEALTHY_SECONDS = 60
LOAD_SECONDS = 120
END_SECONDS = 600


class Ordeal:
    """A generation and a training that go on while services are killed.

    Args:
        stack: where they run.
        teacher: answers slowly, so that the work lasts.
        source: the dataset that is trained on.
    """

    def __init__(
        self, stack: ComposeProject, teacher: TeacherContainer, source: DatasetManifest
    ) -> None:
        self.stack = stack
        self.teacher = teacher
        self.before = len(teacher.received()["seeds"])
        request = DatasetRequest(
            name="killed", styles=STYLES, per_style=PER_STYLE, multi_turn_ratio=0.3
        )
        overrides = Overrides(max_steps=STEPS, save_steps=SAVE_STEPS)
        with stack.datagen() as datagen, stack.trainer() as trainer:
            self.dataset_id = datagen.generate(request).id
            asked = RunRequest(dataset_id=source.id, overrides=overrides, stop_when_flat=False)
            self.run_id = trainer.train(asked).id
        until(lambda: self.seeds, HEALTHY_SECONDS, stack.log_tails)
        self.promised: set[str] = set()
        self.during: Counter[str] = Counter()
        self.seconds: dict[str, list[float]] = {name: [] for name in NAMES}

    @property
    def seeds(self) -> list[int]:
        """The seed of each call that the teacher has had for this generation."""
        found: list[int] = self.teacher.received()["seeds"][self.before :]
        return found

    def generation(self) -> Job:
        """Return the job as it is now. Raises ServiceDownError while its service is away."""
        with self.stack.datagen() as datagen:
            self.promised |= {row.id for row in datagen.samples(self.dataset_id, limit=1000)}
            return datagen.dataset_jobs.get(self.dataset_id)

    def training(self) -> Job:
        """Return the job as it is now. Raises ServiceDownError while its service is away."""
        with self.stack.trainer() as trainer:
            return trainer.run_jobs.get(self.run_id)

    def asked_since(self, calls: int) -> bool:
        """Return whether the teacher was asked anew, or nothing is left to ask."""
        return len(self.seeds) > calls or self.generation().state.final

    def kill(self, service: str, chance: random.Random) -> None:
        """Kill a service in the middle of the work, start it, and wait until it is well."""
        generation, training = self.generation(), self.training()
        calls = len(self.seeds)
        if generation.state is JobState.RUNNING:
            until(lambda: self.asked_since(calls), HEALTHY_SECONDS, self.stack.log_tails)
            self.during["generation"] += 1
        self.during["training"] += training.state is JobState.RUNNING
        time.sleep(chance.uniform(0, 1))
        container = self.stack.container(service)
        container.kill("SIGKILL")
        container.start()
        began = time.monotonic()
        until(lambda: self.stack.healthy(service), HEALTHY_SECONDS, self.stack.log_tails)
        if service == "serving":
            self.stack.served(LOAD_SECONDS)
        self.seconds[service].append(round(time.monotonic() - began, 1))

    def ended(self, job: Any) -> Job | None:
        """Return a job if it is at its end."""
        found: Job = job()
        return found if found.state.final else None


def plan(chance: random.Random) -> list[str]:
    """Return whom to kill, in which order."""
    chosen = NAMES * AT_LEAST + chance.choices(NAMES, k=KILLS - AT_LEAST * len(NAMES))
    chance.shuffle(chosen)
    return chosen


@pytest.fixture(scope="module")
def ordeal(
    taught: ComposeProject,
    teacher: TeacherContainer,
    dataset: DatasetManifest,
    figures: dict[str, object],
) -> Ordeal:
    """The work after the last kill, at its end."""
    chance = random.Random(SEED)
    teacher.slow_down(CALL_SECONDS)
    began = time.monotonic()
    made = Ordeal(taught, teacher, dataset)
    for service in plan(chance):
        made.kill(service, chance)
    teacher.slow_down(0)
    killing, shown = time.monotonic() - began, len(made.promised)
    for job in (made.generation, made.training):
        until(lambda job=job: made.ended(job), END_SECONDS, taught.log_tails)
    figures["kills"] = {
        "seed": SEED,
        "kills": {name: len(seconds) for name, seconds in made.seconds.items()},
        "during": dict(made.during),
        "seconds to be well again": made.seconds,
        "rows": len(STYLES) * PER_STYLE,
        "rows shown while killing": shown,
        "seconds of killing": round(killing),
        "seconds in all": round(time.monotonic() - began),
    }
    return made


def test_kills_fell_into_the_work(ordeal: Ordeal) -> None:
    """Otherwise they would prove nothing."""
    assert sum(map(len, ordeal.seconds.values())) == KILLS
    assert ordeal.during["generation"] >= KILLS / 2, SEED
    assert ordeal.during["training"] >= KILLS / 4, SEED


def test_dataset_is_whole(ordeal: Ordeal, tmp_path: Path, figures: dict[str, Any]) -> None:
    """Exactly the quota, every row that was shown, none twice; paid twice only what was open."""
    job = ordeal.generation()
    assert job.state is JobState.DONE, job.error
    path = f"/data/datasets/{ordeal.dataset_id}"
    ordeal.stack.copy_out("datagen", path, tmp_path / "datasets")
    twice = expect_whole(
        Volume(tmp_path),
        ordeal.dataset_id,
        quota=dict.fromkeys(STYLES, PER_STYLE),
        promised=ordeal.promised,
        asked_seeds=ordeal.seeds,
        hint=SEED,
    )
    figures["kills"] |= {"calls": len(ordeal.seeds), "calls paid twice": twice}
    assert twice <= CALLS_AT_ONCE * len(ordeal.seconds["datagen"])


def test_run_goes_to_its_end(ordeal: Ordeal, figures: dict[str, Any]) -> None:
    """Every step logged once and in order, a model that passed its gate."""
    job = ordeal.training()
    assert job.state is JobState.DONE, job.error
    with ordeal.stack.trainer() as trainer:
        record = trainer.run(ordeal.run_id)
        steps = [event.step for event in trainer.run_log(ordeal.run_id) if event.kind == "log"]
        assert record.model_id
        assert trainer.model(record.model_id).gate.passed
    figures["kills"] |= {"training resumed from steps": record.resumed_from}
    assert record.step == record.max_steps == STEPS
    assert steps == sorted(set(steps))
    assert 1 <= len(record.resumed_from) <= len(ordeal.seconds["trainer"])


def test_page_is_there_after_all(ordeal: Ordeal) -> None:
    """All four are well, and serving serves."""
    assert all(ordeal.stack.healthy(name) for name in NAMES)
    assert ordeal.stack.ready()
