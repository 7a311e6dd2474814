"""Tests of the HTTP surface, with the real app and the scripted teacher."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from contracts.durable import digest_differences
from contracts.style import Language, StyleVersion
from contracts.volume import Volume
from datagen.app import create_app
from datagen.config import Settings
from datagen.questions import Bank
from datagen.scripted import ScriptedTeacher
from fakes.running import running
from fakes.teacher import FakeTeacher

REQUEST = {"name": "demo", "styles": ["tsundere", "gentle"], "per_style": 5}


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    """A running service."""
    with TestClient(create_app(settings)) as client:
        yield client


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory, shipped: Path) -> Iterator[TestClient]:
    """A running service that is only asked for what it must refuse."""
    folder = tmp_path_factory.mktemp("idle")
    settings = Settings(data_dir=folder / "data", state_dir=folder / "state", shipped_dir=shipped)
    with TestClient(create_app(settings)) as client:
        yield client
    assert sorted(path.name for path in (folder / "data").iterdir()) == ["styles"]


def finished(client: TestClient, job_id: str) -> dict[str, Any]:
    """Wait for a job's final state."""
    deadline = time.monotonic() + 120
    while True:
        job: dict[str, Any] = client.get(f"/datasets/jobs/{job_id}").json()
        if job["state"] not in ("queued", "running"):
            return job
        assert time.monotonic() < deadline, job
        time.sleep(0.02)


def test_dataset_is_generated_and_can_be_read(client: TestClient, settings: Settings) -> None:
    """202 with a job; then manifest, samples, events, metrics and files tell one story."""
    started = client.post("/datasets", json=REQUEST, headers={"Idempotency-Key": "k"})
    again = client.post("/datasets", json=REQUEST, headers={"Idempotency-Key": "k"})
    assert started.status_code == 202
    job_id = started.json()["id"]
    assert again.json()["id"] == job_id
    job = finished(client, job_id)
    assert job["state"] == "done", job
    assert job["progress"]["done"] == job["progress"]["total"] == 10
    manifest = client.get(f"/datasets/{job_id}").json()
    assert manifest["counts"]["accepted"] == 10
    assert manifest["status"] == "complete"
    assert manifest["teacher"] == "scripted"
    assert [entry["id"] for entry in client.get("/datasets").json()] == [job_id]
    rows = client.get(f"/datasets/{job_id}/samples", params={"style": "gentle"}).json()
    assert len(rows) == 5
    page = client.get(f"/datasets/{job_id}/samples", params={"offset": 8, "limit": 5}).json()
    assert len(page) == 2
    refused = client.get(f"/datasets/{job_id}/samples", params={"state": "rejected"}).json()
    assert len(refused) == sum(manifest["counts"]["rejected"].values())
    events = client.get(f"/datasets/jobs/{job_id}/events").text
    assert json.loads(events.strip().removeprefix("data: "))["state"] == "done"
    assert 'datagen_samples_total{outcome="accepted",reason=""} 10.0' in client.get("/metrics").text
    volume = Volume(settings.data_dir)
    files = volume.dataset_manifest(job_id).files
    assert set(files) == {
        "samples.jsonl", "rejected.jsonl", "train.json", "eval.json", "dataset_info.json",
            "preference.json", "preference-eval.json",
    }  # fmt: skip
    assert digest_differences(volume.dataset(job_id), files) == []


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"styles": ["nobody"]}, 404, "style"),
        ({"styles": ["../x"]}, 422, "styles.0"),
        ({"per_style": 0}, 422, "per_style"),
        ({"per_style": "many"}, 422, "per_style"),
        ({"colour": 1}, 422, "colour"),
        ({"teacher_base_url": "http://169.254.169.254"}, 422, "teacher_base_url"),
        ({"name": "a/b"}, 422, "name"),
    ],
)
def test_bad_request_is_refused_before_anything_starts(
    idle: TestClient, body: dict[str, Any], status: int, field: str
) -> None:
    """The field is named, no job is queued, nothing is written."""
    answer = idle.post("/datasets", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]["field"] == field
    assert idle.get("/datasets/jobs").json() == []


def test_style_is_stored_listed_and_versioned(client: TestClient, shipped: Path) -> None:
    """PUT with YAML; the same card again changes nothing."""
    assert len(client.get("/styles").json()) >= 12
    card = (shipped / "styles" / "gentle.yaml").read_bytes()
    assert client.put("/styles/gentle", content=card).json()["version"] == 1
    warmer = card.replace(b"temperature: 0.8", b"temperature: 0.9").replace(
        b"temperature: 0.7", b"temperature: 0.9"
    )
    stored = client.put("/styles/gentle", content=warmer)
    assert stored.json()["version"] == 2, stored.text
    assert client.get("/styles/gentle").json()["version"] == 2
    assert len(client.get("/styles/gentle/versions").json()) == 2


def test_style_is_not_overwritten_and_can_be_put_away(client: TestClient, shipped: Path) -> None:
    """A copy of a shipped card; the shipped one itself stays."""
    card = (shipped / "styles" / "gentle.yaml").read_bytes()
    mine = card.replace(b"id: gentle", b"id: mine")
    assert client.put("/styles/mine?after=0", content=mine).json()["version"] == 1
    refused = client.put("/styles/mine?after=0", content=mine)
    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "style_changed"
    assert client.delete("/styles/mine").json()["version"] == 1
    assert "mine" not in [one["style"]["id"] for one in client.get("/styles").json()]
    archived = client.get("/styles", params={"archived": True}).json()
    assert [one["style"]["id"] for one in archived] == ["mine"]
    assert client.delete("/styles/gentle").status_code == 409
    assert client.delete("/styles/nobody").status_code == 404


@pytest.mark.parametrize(
    ("path", "content", "status", "words"),
    [
        ("/styles/gentle", b"colour: red", 422, "colour"),
        ("/styles/gentle", b"a: &a [*a]", 422, "aliases"),
        ("/styles/gentle", b"a" * 300_000, 413, "bytes"),
        ("/styles/gentle", b"\xff", 422, "UTF-8"),
        ("/datasets/import", b"", 422, "empty"),
        ("/datasets/import?name=../x", b"[{}]", 422, "name"),
        ("/datasets/import?eval_ratio=2", b"[{}]", 422, "eval_ratio"),
        ("/datasets/import", b'[{"user', 422, "line 1"),
    ],
)
def test_bad_upload_is_a_clear_error(
    idle: TestClient, path: str, content: bytes, status: int, words: str
) -> None:
    """4xx with a sentence, never 500."""
    method = "PUT" if path.startswith("/styles") else "POST"
    answer = idle.request(method, path, content=content)
    assert answer.status_code == status
    assert words in answer.json()["error"]["message"]
    assert len(answer.content) < 2048


def test_card_under_another_address_is_refused(idle: TestClient, shipped: Path) -> None:
    """The id in the card and in the address are the same."""
    card = (shipped / "styles" / "gentle.yaml").read_bytes()
    answer = idle.put("/styles/other", content=card)
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == "id"


@pytest.mark.parametrize(
    "path",
    ["/styles/nobody", "/datasets/none", "/datasets/none/samples", "/datasets/jobs/none",
     "/datasets/..%2fx", "/datasets/A", "/datasets/A/samples", "/evaluations/none"],
)  # fmt: skip
def test_what_is_not_there_is_not_found(idle: TestClient, path: str) -> None:
    """404 with our body, also for names that no folder may have."""
    answer = idle.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"]["message"]


def test_import_over_http_counts_every_row(client: TestClient) -> None:
    """The answer is the result; the dataset is listed."""
    rows = [
        {"user": f"问题{n}是什么意思呀", "assistant": f"第{n}步，先深呼吸啦。", "style": "傲娇"}
        for n in range(4)
    ]
    answer = client.post("/datasets/import?name=mine&conditioning=both", json=[*rows, {}])
    assert answer.json()["accepted"] == 4
    assert answer.json()["rejected"] == {"malformed": 1}
    manifest = client.get(f"/datasets/{answer.json()['dataset_id']}").json()
    assert manifest["conditioning"] == "both"


def test_damaged_manifest_does_not_hide_the_other_datasets(
    client: TestClient, settings: Settings
) -> None:
    """The list goes on; the damaged one by itself is not found."""
    row = {"user": "问题是什么意思呀", "assistant": "第一步，先深呼吸啦。", "style": "傲娇"}
    good, bad = (client.post("/datasets/import", json=[row]).json() for _ in range(2))
    folder = Volume(settings.data_dir).dataset(bad["dataset_id"])
    (folder / "manifest.json").write_text('{"schema_version": 99}')
    assert [entry["id"] for entry in client.get("/datasets").json()] == [good["dataset_id"]]
    assert client.get(f"/datasets/{bad['dataset_id']}").status_code == 404


def test_quota_that_cannot_be_met_ends_incomplete(settings: Settings) -> None:
    """Four replies in five are wrong and there is one try: the job says so, with the counts."""
    weak = settings.model_copy(update={"teacher_flaw_rate": 0.8})
    with TestClient(create_app(weak)) as client:
        body = REQUEST | {"per_style": 20, "max_attempts": 1, "multi_turn_ratio": 0}
        job = finished(client, client.post("/datasets", json=body).json()["id"])
        assert job["state"] == "incomplete"
        counts = job["result"]["counts"]
        assert counts["asked"] == counts["accepted"] + counts["failed"]["attempts_exhausted"] == 40
        manifest = client.get(f"/datasets/{job['id']}").json()
        assert manifest["status"] == "incomplete"
        assert client.post(f"/datasets/jobs/{job['id']}/resume").status_code == 202
        assert finished(client, job["id"])["state"] == "incomplete"


def test_job_fails_with_the_reasons_when_no_row_passes(settings: Settings) -> None:
    """Nothing is published; the rejected rows can be looked at."""
    wrong = settings.model_copy(update={"teacher_flaw_rate": 1.0})
    with TestClient(create_app(wrong)) as client:
        body = REQUEST | {"per_style": 2, "max_attempts": 2}
        job = finished(client, client.post("/datasets", json=body).json()["id"])
        assert job["state"] == "failed"
        assert job["error"]["code"] == "nothing_accepted"
        path = f"/datasets/{job['id']}/samples"
        assert len(client.get(path, params={"state": "rejected"}).json()) == 8
        assert client.get("/datasets").json() == []


def test_job_is_cancelled_and_resumed(
    settings: Settings, versions: list[StyleVersion], banks: dict[Language, Bank]
) -> None:
    """A cancelled dataset is not published; resumed, it goes on to its exact quota."""
    scripted = ScriptedTeacher(lambda: [version.style for version in versions], banks)
    slow = FakeTeacher(scripted.reply, delay=0.5)  # twenty seconds for all rows
    styles = [version.style.id for version in versions]
    body = {"name": "demo", "styles": styles, "per_style": 40}
    with running(slow) as url:
        far = settings.model_copy(
            update={"teacher_base_url": f"{url}/v1", "teacher_concurrency": 2}
        )
        with TestClient(create_app(far)) as client:
            job_id = client.post("/datasets", json=body).json()["id"]
            while not client.get(f"/datasets/jobs/{job_id}").json()["progress"]["done"]:
                time.sleep(0.02)
            client.post(f"/datasets/jobs/{job_id}/cancel")
            assert finished(client, job_id)["state"] == "cancelled"
            half = len(client.get(f"/datasets/{job_id}/samples", params={"limit": 1000}).json())
            assert 0 < half < 80
            assert client.get(f"/datasets/{job_id}").status_code == 404
            slow.delay = 0.0
            client.post(f"/datasets/jobs/{job_id}/resume")
            assert finished(client, job_id)["state"] == "done"
            assert client.get(f"/datasets/{job_id}").json()["counts"]["accepted"] == 80


def test_probes_and_token(settings: Settings, tmp_path: Path) -> None:
    """Reading is open, changing needs the token."""
    token = tmp_path / "token"
    token.write_text("abc")
    guarded = settings.model_copy(update={"api_token_file": token})
    with TestClient(create_app(guarded)) as client:
        assert client.get("/health").status_code == 200
        assert client.get("/ready").json() == {"ready": True, "reasons": []}
        assert client.post("/datasets", json=REQUEST).status_code == 401
        good = {"Authorization": "Bearer abc"}
        assert client.post("/datasets", json=REQUEST, headers=good).status_code == 202
