"""The stack in containers: built once, brought up once, removed whatever happens.

    python -m pytest tests/e2e/containers -m container

What the tests measure is printed at the end, and written to `containers.json` in pytest's folder.
"""

import json
import secrets
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.artefact import ModelManifest
from contracts.dataset import DatasetManifest, DatasetRequest
from contracts.job import JobState
from contracts.run import Overrides, RunRequest
from fakes.compose_project import ComposeProject, copy_working_tree
from fakes.teacher_container import TeacherContainer

Figures = dict[str, Any]
STYLES = ["gentle", "tsundere", "dry-butler"]
FIGURES = pytest.StashKey[Figures]()
# Where people leave keys: none of these places may get into an image.
LEFT_KEYS = ("secrets/teacher_api_key", ".env.local", "services/datagen/.env", "var/data/key")


def pytest_configure(config: pytest.Config) -> None:
    """Begin with no figures."""
    config.stash[FIGURES] = {}


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the figures."""
    if found := config.stash[FIGURES]:
        terminalreporter.section("containers: figures")
        terminalreporter.write_line(json.dumps(found, indent=1, ensure_ascii=False))


@pytest.fixture(scope="session")
def figures(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Figures]:
    """What the tests measure."""
    found = pytestconfig.stash[FIGURES]
    yield found
    path = tmp_path_factory.getbasetemp() / "containers.json"
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False), encoding="utf-8")


@pytest.fixture(scope="session")
def canary() -> str:
    """The teacher's key: a word that occurs nowhere else."""
    return f"canary-{secrets.token_hex(16)}"


@pytest.fixture(scope="session")
def workplace(tmp_path_factory: pytest.TempPathFactory, canary: str) -> Path:
    """A copy of the working tree in which keys lie around."""
    folder = copy_working_tree(tmp_path_factory.mktemp("tree"))
    for name in LEFT_KEYS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{canary}\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def project(workplace: Path, figures: Figures) -> Iterator[ComposeProject]:
    """The project, its images built; it is removed also when the tests are told to stop."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    made = ComposeProject(workplace)
    try:
        figures["build_seconds"] = made.build()
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="session")
def first_up(project: ComposeProject, figures: Figures) -> ComposeProject:
    """The project after its first start, on empty volumes."""
    figures["up_to_healthy_seconds"] = project.up()
    project.served()
    return project


@pytest.fixture(scope="module")
def stack(first_up: ComposeProject) -> ComposeProject:
    """The stack as it is by default, serving."""
    first_up.up()
    first_up.served()
    return first_up


@pytest.fixture(scope="session")
def teacher(first_up: ComposeProject) -> TeacherContainer:
    """A teacher outside; the stack is not told about it yet."""
    return TeacherContainer(first_up)


@pytest.fixture(scope="module")
def taught(first_up: ComposeProject, teacher: TeacherContainer, workplace: Path) -> ComposeProject:
    """The stack with the teacher outside, and a key for it in a file of the host."""
    key = workplace / LEFT_KEYS[0]
    first_up.up(TEACHER_BASE_URL=teacher.url, TEACHER_MODEL="fake", TEACHER_API_KEY_FILE=str(key))
    first_up.served()
    return first_up


@pytest.fixture(scope="session")
def dataset(first_up: ComposeProject) -> DatasetManifest:
    """A small dataset, generated in the container."""
    first_up.up(**first_up.settings)  # another test may have stopped it
    with first_up.datagen() as datagen:
        request = DatasetRequest(name="small", styles=STYLES, per_style=40)
        job = datagen.dataset_jobs.wait(datagen.generate(request).id)
        assert job.state is JobState.DONE, job.error
        return datagen.dataset(job.id)


@pytest.fixture(scope="session")
def model(first_up: ComposeProject, dataset: DatasetManifest) -> ModelManifest:
    """A model that LLaMA-Factory trained on it for a few steps."""
    overrides = Overrides(max_steps=20, save_steps=10)
    first_up.up(**first_up.settings)
    with first_up.trainer() as trainer:
        request = RunRequest(dataset_id=dataset.id, overrides=overrides)
        job = trainer.run_jobs.wait(trainer.train(request).id, patience=120)
        assert job.state is JobState.DONE, job.error
        model_id = trainer.run(job.id).model_id
        assert model_id
        return trainer.model(model_id)
