"""What a run may be asked for beside its recipe, over HTTP, with the fake engine."""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from contracts.job import Job, JobState
from contracts.volume import Volume
from fakes.training import DATASET, write_base
from repository import ROOT
from trainer.app import create_app
from trainer.config import Settings
from trainer.runfolder import RunFolder

Wait = Callable[[str], Job]
SHORT = {"max_steps": 12, "save_steps": 4}


def train(client: TestClient, wait: Wait, **changes: Any) -> Job:
    """Run to the end and return the job."""
    answer = client.post("/runs", json={"dataset_id": DATASET, "overrides": SHORT} | changes)
    assert answer.status_code == 202, answer.text
    return wait(f"/runs/jobs/{answer.json()['id']}")


def test_run_says_how_it_was_fitted_and_measured(
    client: TestClient, wait: Wait, environ: dict[str, str], volume: Volume
) -> None:
    """Predicted, probed and measured memory, the best step, and its figures."""
    environ["TORCH_FAKE_CARD_BYTES"] = str(80 << 30)
    job = train(client, wait)
    record = volume.run_record(job.id)
    assert record.fit
    assert record.fit.card_bytes == 80 << 30
    rows = record.fit.micro_batch
    assert (record.fit.predicted_bytes, record.fit.probed_bytes) == (rows << 30, rows << 30)
    assert record.fit.measured_bytes == (rows << 30) + 1
    assert record.fit.reasons
    assert (record.best_step, record.stop, record.world_size) == (12, None, 1)
    assert record.metrics["bleu_4"] == 12.5


def test_flat_run_stops_and_says_why(
    client: TestClient, wait: Wait, environ: dict[str, str], volume: Volume
) -> None:
    """The reason, the step and what was saved are in the record; the model is published."""
    environ["FAILPOINT"] = "fake.flat@150"
    overrides = {"max_steps": 400, "save_steps": 10, "eval_steps": 10}
    job = train(client, wait, overrides=overrides)
    assert job.state is JobState.DONE, job.error
    record = volume.run_record(job.id)
    assert record.stop
    assert (record.stop.reason, record.stop.step, record.stop.saved_steps) == ("flat", 150, 250)
    plan = RunFolder(volume, job.id).plan()["plateau"]
    assert 0 < plan["patience"] <= plan["min_steps"] < 400


def test_run_that_shall_not_stop_early_does_not(
    client: TestClient, wait: Wait, environ: dict[str, str], volume: Volume
) -> None:
    """`stop_when_flat: false` leaves the engine no plan to stop by."""
    environ["FAILPOINT"] = "fake.flat@50"
    overrides = {"max_steps": 100, "save_steps": 10, "eval_steps": 10}
    job = train(client, wait, overrides=overrides, stop_when_flat=False)
    assert volume.run_record(job.id).step == 100
    assert RunFolder(volume, job.id).plan()["plateau"] is None


def test_unpublished_run_leaves_figures_and_no_model(
    client: TestClient, wait: Wait, volume: Volume
) -> None:
    """For a learning curve, a run on a part of the rows is measured and forgotten."""
    job = train(client, wait, publish=False, data_fraction=0.25)
    assert (job.state, job.result) == (JobState.DONE, {})
    record = volume.run_record(job.id)
    assert (record.model_id, record.eval_loss) == (None, pytest.approx(9 / 13))
    assert client.get("/models").json() == []
    folder = RunFolder(volume, job.id)
    assert len(json.loads((folder.path / "train.json").read_text(encoding="utf-8"))) == 12
    assert folder.plan()["train_rows"] == 12


def test_adapter_of_a_model_goes_on_being_trained(
    client: TestClient, wait: Wait, volume: Volume
) -> None:
    """The engine is told where it lies; the new model says what it continues."""
    first = train(client, wait).id
    second = train(client, wait, continues=first)
    assert second.state is JobState.DONE, second.error
    arguments = RunFolder(volume, second.id).arguments()
    assert arguments["adapter_name_or_path"] == str(volume.model(first).resolve())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"continues": "nothing-here"}, "there is no model 'nothing-here'"),
        ({"recipe": "full"}, "'full' trains no adapter"),
        ({"base_model": "other"}, "an adapter of 'starter', not of 'other'"),
        ({"overrides": {"lora_rank": 8}}, "has rank 16, not 8"),
    ],
)
def test_adapter_that_does_not_fit_is_refused(
    client: TestClient, wait: Wait, volume: Volume, change: dict[str, Any], words: str
) -> None:
    """The error names the field and how the two differ."""
    first = train(client, wait).id
    bases = volume.root.parent / "bases"
    write_base(bases / "other")
    (bases / "other" / "model.safetensors").write_bytes(b"other weights")
    answer = client.post("/runs", json={"dataset_id": DATASET, "continues": first} | change)
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == "continues"
    assert words in answer.json()["error"]["message"]


def test_style_can_choose_the_checkpoint(client: TestClient, wait: Wait, volume: Volume) -> None:
    """The engine gets held-out rows with the style that each is asked for."""
    plan = RunFolder(volume, train(client, wait, choose_by="style").id).plan()
    assert plan["choose_by"] == "style"
    assert len(plan["style_probe"]["rows"]) == 8
    row = plan["style_probe"]["rows"][0]
    assert row["style"] == "tsundere"
    assert (row["messages"][0]["role"], row["messages"][-1]["role"]) == ("system", "user")
    assert plan["style_probe"]["prompts"] == {"tsundere": "你说话傲娇。"}


def test_run_is_cancelled_while_it_is_fitted(
    client: TestClient, environ: dict[str, str], wait: Wait, volume: Volume
) -> None:
    """Nobody waits for the answer of a question that is of no use any more."""
    environ["FAILPOINT"] = "fake.slow_fit"
    run = client.post("/runs", json={"dataset_id": DATASET}).json()["id"]
    while client.get(f"/runs/jobs/{run}").json()["progress"]["stage"] != "fit":
        time.sleep(0.01)
    client.post(f"/runs/jobs/{run}/cancel")
    assert wait(f"/runs/jobs/{run}").state is JobState.CANCELLED
    assert not (volume.run(run) / "recipe.yaml").exists()


def test_waiting_runs_are_listed_in_the_order_of_their_start(
    client: TestClient, environ: dict[str, str], wait: Wait
) -> None:
    """The last to start stands on top; each knows its place and its priority."""
    environ["FAILPOINT"] = "fake.waits@1"
    body = {"dataset_id": DATASET, "overrides": SHORT}
    ids = [client.post("/runs", json=body).json()["id"]]
    while client.get(f"/runs/{ids[0]}").json()["state"] == "queued":
        time.sleep(0.01)
    for priority in (0, -1, 5):
        answer = client.post("/runs", json=body | {"priority": priority})
        ids.append(answer.json()["id"])
    listed = client.get("/runs").json()
    assert [run["id"] for run in listed] == [ids[2], ids[1], ids[3], ids[0]]
    assert [run["queue_place"] for run in listed] == [3, 2, 1, None]
    assert [run["request"]["priority"] for run in listed] == [-1, 0, 5, 0]
    assert client.get(f"/runs/jobs/{ids[3]}").json()["priority"] == 5
    for run in ids:
        client.post(f"/runs/jobs/{run}/cancel")
    assert wait(f"/runs/jobs/{ids[0]}").state is JobState.CANCELLED


def test_weights_split_over_one_process_are_refused(settings: Settings, tmp_path: Path) -> None:
    """A recipe with `sharding` asks for several processes, by the setting's name."""
    recipes = tmp_path / "shipped/recipes"
    shutil.copytree(ROOT / "services/trainer/recipes", recipes)
    text = (recipes / "lora.yaml").read_text(encoding="utf-8")
    split = text.replace("  kind: adapter", "  kind: adapter\n  sharding: fsdp")
    (recipes / "split.yaml").write_text(split, encoding="utf-8")
    changed = settings.model_copy(
        update={"shipped_dir": tmp_path / "shipped", "state_dir": tmp_path / "other"}
    )
    with TestClient(create_app(changed, {})) as split_client:
        answer = split_client.post("/runs", json={"dataset_id": DATASET, "recipe": "split"})
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "recipe")
    assert "TRAINER_NPROC" in answer.json()["error"]["hint"]
