"""The trainer's app with the fake engine behind it."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from contracts.job import Job
from contracts.volume import Volume
from fakes.trainer_app import follow, make_settings
from trainer.app import create_app
from trainer.config import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings whose folders hold one base and one dataset."""
    return make_settings(tmp_path)


@pytest.fixture
def environ() -> dict[str, str]:
    """What the engine inherits; tests put a FAILPOINT in."""
    return {"PATH": os.environ["PATH"]}


@pytest.fixture
def client(settings: Settings, environ: dict[str, str]) -> Iterator[TestClient]:
    """The running app."""
    with TestClient(create_app(settings, environ)) as client:
        yield client


@pytest.fixture
def volume(settings: Settings) -> Volume:
    """The volume that the app works on."""
    return Volume(settings.data_dir)


@pytest.fixture
def wait(client: TestClient) -> Callable[[str], Job]:
    """Follow a job (`/runs/jobs/<id>`) until its final state, and return it."""
    return partial(follow, client)
