"""Tests of the routes of evaluations."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry

from contracts.volume import Volume
from datagen.evaluations_api import evaluation_router
from fakes.evaluation_jobs import run, server_of, submit
from fakes.styled_dataset import DATASET, publish_dataset, samples, styled_model
from kit.app import create_service_app
from kit.jobs import JobStore


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    """A volume with a generated dataset of four styles."""
    volume = Volume(tmp_path / "data")
    publish_dataset(volume, samples(14))
    return volume


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    """An empty table of jobs."""
    store = JobStore(tmp_path / "state")
    yield store
    store.close()


@pytest.fixture
def client(volume: Volume, store: JobStore) -> Iterator[TestClient]:
    """A client of an app with the routes."""
    app = create_service_app("datagen", registry=CollectorRegistry(), version="0")
    app.include_router(evaluation_router(store, volume))
    with TestClient(app) as client:
        yield client


def test_start_answers_with_a_job(client: TestClient, store: JobStore) -> None:
    """202 and an id; the same key again gives the same job."""
    body = {"dataset_id": DATASET, "tuned": "Tone/../smith.v3"}
    first, again = (
        client.post("/evaluations", json=body, headers={"Idempotency-Key": "k"}) for _ in range(2)
    )
    assert first.status_code == 202
    assert first.json()["id"] == again.json()["id"]
    assert first.json()["id"].startswith("eval-tone-smith-v3-")
    assert client.get(f"/evaluations/jobs/{first.json()['id']}").json()["state"] == "queued"
    assert len(client.get("/evaluations/jobs").json()) == 1


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"dataset_id": "missing"}, 404, "dataset_id"),
        ({"dataset_id": DATASET, "judge": True}, 422, "judge"),
        ({"dataset_id": "../up"}, 422, "dataset_id"),
        ({"dataset_id": DATASET, "per_style": 0}, 422, "per_style"),
        ({"dataset_id": DATASET, "styles": []}, 422, "styles"),
    ],
)
def test_bad_request_names_the_field(
    client: TestClient, store: JobStore, body: dict[str, Any], status: int, field: str
) -> None:
    """Nothing is queued, and the answer says which field is at fault."""
    response = client.post("/evaluations", json=body)
    assert response.status_code == status
    assert response.json()["error"]["field"] == field
    assert store.newest() == []


async def test_published_evaluation_is_served(
    client: TestClient, volume: Volume, store: JobStore
) -> None:
    """Report, page and replies of a published evaluation."""
    submit(store)
    await run(store, volume, server_of(styled_model()))
    assert [row["id"] for row in client.get("/evaluations").json()] == ["eval-1"]
    assert len(client.get("/evaluations", params={"limit": 1}).json()) == 1
    assert client.get("/evaluations", params={"limit": 0}).status_code == 422
    assert client.get("/evaluations/eval-1").json()["verdict"] == "took"
    page = client.get("/evaluations/eval-1/report.html")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    query = {"style": "gentle", "contestant": "tuned", "offset": 1, "limit": 2}
    rows = client.get("/evaluations/eval-1/replies", params=query).json()
    assert [(row["style"], row["contestant"]) for row in rows] == [("gentle", "tuned")] * 2


@pytest.mark.parametrize("path", ["missing", "missing/report.html", "missing/replies", "..%2fup"])
def test_unknown_evaluation_is_not_found(client: TestClient, path: str) -> None:
    """404 in our error body, also for a name that would leave the folder."""
    response = client.get(f"/evaluations/{path}")
    assert response.status_code == 404
    assert response.json()["error"]["code"] in ("not_found", "http_error")
