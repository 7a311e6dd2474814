"""Promotion over HTTP: what is whole is served, what was changed is refused with the difference."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from contracts.artefact import GateResult
from contracts.durable import file_digest
from contracts.job import Job, JobState
from contracts.volume import MANIFEST, Volume, write_document
from fakes.trainer_app import follow, make_settings
from fakes.training import DATASET
from trainer.app import create_app
from trainer.config import Settings

Wait = Callable[[str], Job]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A data folder with a published model, made once by a run; and the model's id."""
    folder = tmp_path_factory.mktemp("trained")
    settings = make_settings(folder)
    with TestClient(create_app(settings, {"PATH": os.environ["PATH"]})) as client:
        body = {"dataset_id": DATASET, "overrides": {"max_steps": 2}}
        run = client.post("/runs", json=body).json()["id"]
        assert follow(client, f"/runs/jobs/{run}").state is JobState.DONE
    return settings.data_dir, str(run)


@pytest.fixture
def model_id(trained: tuple[Path, str], volume: Volume) -> str:
    """A published model in this test's own volume."""
    data, made = trained
    for kind in ("runs", "models"):
        shutil.copytree(data / kind / made, volume.root / kind / made)
    return made


def promote(client: TestClient, wait: Wait, model_id: str) -> Job:
    """Promote a model and return the finished job."""
    answer = client.post(f"/models/{model_id}/promote")
    assert answer.status_code == 202
    return wait(f"/promotions/jobs/{answer.json()['id']}")


def test_base_alone_is_current_before_any_training(client: TestClient, volume: Volume) -> None:
    """Serving finds something to serve from the first start on."""
    current = volume.current_model()
    assert current is not None
    assert (current.generation, current.base, current.versions) == (0, "starter", [])
    assert client.get("/current").json()["generation"] == 0


def test_model_is_staged_promoted_and_rolled_back(
    client: TestClient, wait: Wait, model_id: str
) -> None:
    """The whole life of a version, over HTTP."""
    staged = client.post(f"/models/{model_id}/stage").json()
    assert (staged["versions"][0]["model_id"], staged["aliases"]) == (model_id, {})
    job = promote(client, wait, model_id)
    assert job.result == {"name": "tonesmith", "version": 1, "served_name": "tonesmith.v1"}
    assert client.get("/current").json()["aliases"] == {"tonesmith": 1}
    assert client.post("/rollback", json={"name": "tonesmith"}).status_code == 409
    assert client.post("/rollback", json={"name": "nobody"}).status_code == 404
    assert client.get(f"/models/{model_id}").json()["id"] == model_id
    assert [one["id"] for one in client.get("/models").json()] == [model_id]


@pytest.mark.parametrize("model", ["nothing-here", "Nothing", "..%2f..%2fetc"])
@pytest.mark.parametrize("action", ["stage", "promote"])
def test_unknown_model_is_not_found(client: TestClient, action: str, model: str) -> None:
    """A name that is no model's is a 404 with the error's body."""
    answer = client.post(f"/models/{model}/{action}")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] in ("not_found", "http_error")


def template(folder: Path, *, rehash: bool) -> None:
    """Alter one character of the chat template, and if asked its hash too."""
    path = folder / "chat_template.jinja"
    path.write_text(path.read_text().replace("im_end", "im-end", 1))
    if rehash:
        rewrite(folder, path)


def rewrite(folder: Path, path: Path) -> None:
    """Put the present hash of a file into the manifest."""
    document = json.loads((folder / MANIFEST).read_text())
    document["files"][path.name] = file_digest(path).model_dump()
    (folder / MANIFEST).write_text(json.dumps(document))


def truncated(folder: Path, *, rehash: bool) -> None:
    """Cut the weights, and if asked give the manifest their hash."""
    path = folder / "adapter_model.safetensors"
    os.truncate(path, path.stat().st_size - 3)
    if rehash:
        rewrite(folder, path)


def end_token(folder: Path, *, rehash: bool) -> None:
    """Give the tokenizer another end token."""
    path = folder / "tokenizer.json"
    path.write_text('{"eos": "</s>"}')
    if rehash:
        rewrite(folder, path)


DAMAGES = [
    (template, False, "chat_template.jinja: sha256"),
    (template, True, "+{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im-end|>"),
    (truncated, False, "adapter_model.safetensors: 7"),
    (truncated, True, "not fully covered"),
    (end_token, False, "tokenizer.json: "),
    (end_token, True, "'</s>'"),
]


@pytest.mark.parametrize(("damage", "rehash", "words"), DAMAGES)
def test_altered_model_is_refused_and_nothing_changes(
    client: TestClient,
    wait: Wait,
    volume: Volume,
    model_id: str,
    damage: Callable[..., None],
    rehash: bool,
    words: str,
) -> None:
    """Each damage is found, with and without a manifest that was altered to fit."""
    before = volume.current_path.read_bytes()
    damage(volume.model(model_id), rehash=rehash)
    job = promote(client, wait, model_id)
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert job.error.code == "gate_refused"
    assert words in job.error.message
    assert volume.current_path.read_bytes() == before


def test_rendering_is_compared_even_if_no_template_is_left_to_compare(
    client: TestClient, wait: Wait, volume: Volume, settings: Settings, model_id: str
) -> None:
    """With template, hash, run and base all altered alike, the golden tokens still tell."""
    template(volume.model(model_id), rehash=True)
    shutil.rmtree(volume.run(model_id))
    altered = volume.model(model_id) / "chat_template.jinja"
    shutil.copy(altered, settings.models_dir / "starter" / "chat_template.jinja")
    job = promote(client, wait, model_id)
    assert job.error is not None
    assert "token_ids:single-zh: they part at token" in job.error.message
    assert "«-»" in job.error.message


def test_other_base_weights_are_refused(
    client: TestClient, wait: Wait, settings: Settings, model_id: str
) -> None:
    """An adapter on a base that was exchanged is another model."""
    (settings.models_dir / "starter" / "model.safetensors").write_bytes(b"other weights")
    job = promote(client, wait, model_id)
    assert job.error is not None
    assert "base_weights: base 'starter' is not the one" in job.error.message
    assert client.post(f"/models/{model_id}/stage").status_code == 409


def test_model_whose_gate_failed_is_refused(
    client: TestClient, wait: Wait, volume: Volume, model_id: str
) -> None:
    """A verdict of no checks at all is no pass either."""
    manifest = volume.model_manifest(model_id)
    changed = manifest.model_copy(update={"gate": GateResult(checks=[])})
    write_document(volume.model(model_id) / MANIFEST, changed)
    job = promote(client, wait, model_id)
    assert job.error is not None
    assert "gate: it has no checks" in job.error.message


def test_broken_manifest_is_refused_and_hides_no_other_model(
    client: TestClient, volume: Volume, model_id: str
) -> None:
    """A torn document is a clear error for its model, and none for the list."""
    (volume.model(model_id) / MANIFEST).write_text('{"id": ')
    assert client.get("/models").json() == []
    answer = client.get(f"/models/{model_id}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "gate_refused")
