"""The trainer's app with the fake engine: its settings, and following its jobs."""

import sys
from pathlib import Path

from fastapi.testclient import TestClient

from contracts.job import Job
from contracts.volume import Volume
from fakes.training import publish_rows, write_base
from repository import ROOT
from trainer.config import Settings

FAKE_ENGINE = ROOT / "tests/fakes/engine.py"


def make_settings(folder: Path) -> Settings:
    """Return settings whose folders, below `folder`, hold one base and one dataset."""
    python = folder / "engine-python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FAKE_ENGINE}" "$@"\n')
    python.chmod(0o755)
    made = Settings(
        data_dir=folder / "data",
        state_dir=folder / "state",
        models_dir=folder / "bases",
        engine_python=python,
        reserve_bytes=0,
        cancel_seconds=60,  # to save, also where the disk is busy
    )
    write_base(made.models_dir / "starter")
    publish_rows(Volume(made.data_dir))
    return made


def follow(client: TestClient, path: str) -> Job:
    """Follow the events of a job (`/runs/jobs/<id>`) until its final state, and return it."""
    with client.stream("GET", f"{path}/events") as answer:
        last = [line for line in answer.iter_lines() if line.startswith("data: ")][-1]
    return Job.model_validate_json(last.removeprefix("data: "))
