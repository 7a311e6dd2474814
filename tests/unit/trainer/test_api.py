"""Advice, exports and archives over HTTP, with the fake engine."""

import io
import json
import tarfile
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from contracts.advice import Advice
from contracts.durable import file_digest
from contracts.job import Job, JobState
from contracts.volume import Volume
from fakes.training import DATASET

Wait = Callable[[str], Job]


@pytest.fixture
def model(client: TestClient, wait: Wait) -> str:
    """The id of a published model."""
    body = {"dataset_id": DATASET, "overrides": {"max_steps": 2}}
    return str(wait(f"/runs/jobs/{client.post('/runs', json=body).json()['id']}").id)


def test_advice_is_a_request_with_reasons(client: TestClient, volume: Volume) -> None:
    """What it proposes can be asked for as it stands; nothing is written for it."""
    before = sorted(volume.dataset(DATASET).iterdir())
    answer = client.post("/advice", json={"dataset_id": DATASET})
    assert answer.status_code == 200, answer.text
    advice = Advice.model_validate(answer.json())
    assert {"recipe", "num_train_epochs", "cutoff_len"} <= {each.choice for each in advice.reasons}
    assert all(each.why for each in advice.reasons)
    assert advice.rows.verdict == "unknown"
    assert sorted(volume.dataset(DATASET).iterdir()) == before
    asked = {"dataset_id": DATASET, "recipe": advice.recipe, "priority": -1}
    overrides = advice.overrides.model_dump(mode="json", exclude_none=True)
    run = client.post("/runs", json=asked | {"overrides": overrides})
    assert run.status_code == 202
    client.post(f"/runs/jobs/{run.json()['id']}/cancel")


@pytest.mark.parametrize(
    ("change", "field"), [({"dataset_id": "x"}, "dataset_id"), ({"base_model": "x"}, "base_model")]
)
def test_advice_on_nothing_names_the_field(
    client: TestClient, change: dict[str, str], field: str
) -> None:
    """A misspelt name is a 422, not an engine's crash."""
    answer = client.post("/advice", json={"dataset_id": DATASET} | change)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)


def test_rows_that_cannot_be_measured_are_said(client: TestClient, environ: dict[str, str]) -> None:
    """The engine's last words come first among the warnings of an advice without lengths."""
    environ["FAILPOINT"] = "fake.unfit"
    advice = client.post("/advice", json={"dataset_id": DATASET}).json()
    assert "no row can be trained on" in advice["warnings"][0]
    assert advice["overrides"]["cutoff_len"] is None


def test_adapter_is_exported_and_taken_away(
    client: TestClient, wait: Wait, model: str, volume: Volume
) -> None:
    """The archive holds what the manifest of the export says, byte for byte."""
    started = client.post(f"/models/{model}/exports", json={"form": "adapter"})
    assert started.status_code == 202
    job = wait(f"/exports/jobs/{started.json()['id']}")
    assert job.state is JobState.DONE, job.error
    export = str(job.result["export_id"])
    assert [each["id"] for each in client.get("/exports").json()] == [export]
    answer = client.get(f"/exports/{export}/archive")
    assert answer.headers["content-type"] == "application/x-tar"
    manifest = json.loads((volume.export(export) / "manifest.json").read_text())
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        assert set(tar.getnames()) == {"manifest.json", *manifest["files"]}
        tar.extractall(volume.root / "out", filter="data")
    for name, digest in manifest["files"].items():
        assert file_digest(volume.root / "out" / name).model_dump() == digest


@pytest.mark.parametrize(
    ("form", "name"), [("adapter", "adapter_config.json"), ("merged", "model.safetensors")]
)
def test_forms_of_a_model_are_taken_away_without_a_job(
    client: TestClient, model: str, form: str, name: str
) -> None:
    """What every model has needs not to be made first."""
    answer = client.get(f"/models/{model}/archive", params={"form": form})
    assert f"{model}-{form}.tar" in answer.headers["content-disposition"]
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        assert name in tar.getnames()
        assert not any(each.startswith("merged/") for each in tar.getnames())


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/exports/nothing/archive", 404),
        ("GET", "/models/nothing/archive?form=merged", 404),
        ("GET", "/models/nothing/archive?form=gguf", 422),
        ("POST", "/models/nothing/exports", 404),
        ("GET", "/exports/jobs/nothing", 404),
    ],
)
def test_unknown_model_or_form_is_said(
    client: TestClient, method: str, path: str, status: int
) -> None:
    """With our envelope, as everywhere."""
    body = {"form": "merged"} if method == "POST" else None
    answer = client.request(method, path, json=body)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]
