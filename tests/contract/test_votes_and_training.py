"""From a vote in the chat to a preference run: the trainer takes what datagen publishes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from contracts.dataset import DatasetManifest
from contracts.job import JobState
from contracts.volume import Volume
from datagen.app import create_app as create_datagen
from datagen.config import Settings as DatagenSettings
from fakes.reviewed import FIRST, publish_first
from fakes.trainer_app import follow, make_settings
from repository import ROOT
from trainer.app import create_app as create_trainer

CORRECTED = "哼，才不是担心你啦！快去喝口热水。"


@pytest.fixture
def trainer(tmp_path: Path) -> Iterator[TestClient]:
    """The trainer with a fake engine, over the volume on which the datasets are."""
    settings = make_settings(tmp_path)
    publish_first(Volume(settings.data_dir))
    with TestClient(create_trainer(settings)) as client:
        yield client


@pytest.fixture
def datagen(tmp_path: Path) -> Iterator[TestClient]:
    """The real datagen over the same volume."""
    settings = DatagenSettings(
        data_dir=tmp_path / "data",
        state_dir=tmp_path / "datagen",
        shipped_dir=ROOT / "services/datagen",
    )
    with TestClient(create_datagen(settings)) as client:
        yield client


def voted(datagen: TestClient) -> DatasetManifest:
    """Vote a reply down with a correction, another up; return the version with their pairs."""
    row = datagen.get(f"/datasets/{FIRST}/samples", params={"style": "tsundere"}).json()[0]
    vote = {
        "question": row["question"],
        "reply": row["reply"],
        "style": "tsundere",
        "model": "tonesmith.v1",
        "value": -1,
        "correction": CORRECTED,
        "user": "u1",
    }
    assert datagen.post("/votes", json=vote).status_code == 201
    body = {"dataset_id": FIRST, "sources": ["votes"]}
    answer = datagen.post("/datasets/preferences", json=body)
    assert answer.status_code == 201, answer.text
    return DatasetManifest.model_validate(answer.json())


def compared(datagen: TestClient) -> DatasetManifest:
    """Prefer one of two replies, as the blind arena does; return the version with the pair."""
    row = datagen.get(f"/datasets/{FIRST}/samples", params={"style": "tsundere"}).json()[0]
    vote = {
        "question": row["question"],
        "reply": "多喝热水。",
        "style": "tsundere",
        "model": "base",
        "contestant": "prompted",
        "against": {"reply": CORRECTED, "model": "tonesmith.v1", "contestant": "tuned"},
        "value": -1,
        "user": "u1",
    }
    assert datagen.post("/votes", json=vote).status_code == 201
    body = {"dataset_id": FIRST, "sources": ["votes"]}
    answer = datagen.post("/datasets/preferences", json=body)
    assert answer.status_code == 201, answer.text
    return DatasetManifest.model_validate(answer.json())


def trained(trainer: TestClient, dataset: str, **more: Any) -> str:
    """Train to the end; return the id of the run, which is the model's."""
    answer = trainer.post("/runs", json={"dataset_id": dataset, **more})
    assert answer.status_code == 202, answer.text
    run = str(answer.json()["id"])
    job = follow(trainer, f"/runs/jobs/{run}")
    assert job.state is JobState.DONE, job.error
    return run


@pytest.mark.parametrize("recipe", ["dpo", "kto"])
def test_correction_in_the_chat_is_trained_on(
    trainer: TestClient, datagen: TestClient, recipe: str
) -> None:
    """One vote, one pair, and the preference recipe runs on the version that holds it."""
    model = trained(trainer, FIRST, recipe="lora")
    version = voted(datagen)
    assert version.rows["preference"] + version.rows.get("preference-eval", 0) == 1
    assert version.lineage is not None
    assert version.lineage.pairs is not None
    assert version.lineage.pairs.sources == {"votes": 1}
    run = trained(trainer, version.id, recipe=recipe, continues=model)
    assert trainer.get(f"/runs/{run}").json()["request"]["dataset_id"] == version.id


def test_vote_of_the_arena_is_trained_on(trainer: TestClient, datagen: TestClient) -> None:
    """One comparison, one pair that names both contestants, and DPO runs on it."""
    model = trained(trainer, FIRST, recipe="lora")
    version = compared(datagen)
    assert datagen.get("/votes/counts").json()["compared"] == {"tsundere": {"decided": 1}}
    assert version.lineage is not None
    assert version.lineage.pairs is not None
    assert version.lineage.pairs.sources == {"votes": 1}
    run = trained(trainer, version.id, recipe="dpo", continues=model)
    assert trainer.get(f"/runs/{run}").json()["request"]["dataset_id"] == version.id
