"""The trainer's app: what it lists, what it measures, when it is ready."""

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from contracts.job import Job
from fakes.training import DATASET
from kit.errors import ConflictError
from trainer.app import create_app
from trainer.config import Settings

Wait = Callable[[str], Job]


def samples(client: TestClient) -> dict[tuple[str, ...], float]:
    """Return every sample of /metrics by its name and the values of its sorted labels."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def test_recipes_and_bases_are_listed(client: TestClient) -> None:
    """A user sees what can be trained with, and when to use it."""
    recipes = {recipe["name"]: recipe for recipe in client.get("/recipes").json()}
    assert recipes["lora"]["kind"] == "adapter"
    assert recipes["lora"]["when"]
    assert [base["name"] for base in client.get("/bases").json()] == ["starter"]


def test_recipe_of_a_base_is_no_run(client: TestClient) -> None:
    """The error says how bases are built."""
    answer = client.post("/runs", json={"dataset_id": DATASET, "recipe": "starter"})
    assert answer.status_code == 422
    assert "make starter" in answer.json()["error"]["hint"]


def test_base_without_a_template_says_so(client: TestClient, settings: Settings) -> None:
    """A downloaded base may lack the file that serving and training must share."""
    (settings.models_dir / "starter" / "chat_template.jinja").unlink()
    answer = client.post("/runs", json={"dataset_id": DATASET})
    assert answer.json()["error"]["field"] == "base_model"
    assert "chat_template.jinja" in answer.json()["error"]["message"]


def test_metrics_follow_a_run(client: TestClient, wait: Wait) -> None:
    """State, step and losses of a run are series, the state one of a closed list."""
    body = {"dataset_id": DATASET, "overrides": {"max_steps": 6, "save_steps": 3}}
    run = client.post("/runs", json=body).json()["id"]
    wait(f"/runs/jobs/{run}")
    found = samples(client)
    assert found["train_step", run] == found["train_max_steps", run] == 6
    assert found["train_loss", run] == pytest.approx(8 / 7)
    assert found["train_eval_loss", run] == pytest.approx(9 / 7)
    assert found["train_state", run, "succeeded"] == 1
    assert found["train_state", run, "running"] == 0
    assert found["train_last_checkpoint_step", run] == 6
    info = next(key for key in found if key[0] == "train_run_info")
    assert (info[2:], len(info[1])) == ((DATASET, "lora", "starter", run, "1"), 12)
    assert found["train_end_timestamp_seconds", run] >= found["train_start_timestamp_seconds", run]
    assert found["train_output_free_bytes",] > 0
    assert found["train_steps_total", run] == found["train_step_duration_seconds_count", run] == 6
    assert found["train_exit_code", run] == found["train_collect_errors_total",] == 0
    assert found["train_last_log_timestamp_seconds", run] > 0
    assert found["train_flops_total", run] > 0
    gone = {"train_eta_seconds", "train_gpu_assigned", "train_gpu_seconds_total", "train_mfu_ratio"}
    assert not gone & {key[0] for key in found}


def test_metrics_know_the_latest_runs_only(client: TestClient, wait: Wait) -> None:
    """Run ids are labels, so their number is bounded."""
    for _ in range(7):
        run = client.post("/runs", json={"dataset_id": DATASET}).json()["id"]
        client.post(f"/runs/jobs/{run}/cancel")
    runs = {key[1] for key in samples(client) if key[0] == "train_step"}
    assert len(runs) == 5
    for job in client.get("/runs/jobs").json():
        wait(f"/runs/jobs/{job['id']}")


def test_ready_says_what_is_missing(settings: Settings, tmp_path: Path) -> None:
    """No engine, no base: alive, not ready, with the reasons."""
    bare = settings.model_copy(
        update={"engine_python": tmp_path / "no", "models_dir": tmp_path / "empty"}
    )
    with TestClient(create_app(bare, {})) as client:
        answer = client.get("/ready")
        assert answer.status_code == 503
        assert "TRAINER_ENGINE_PYTHON" in answer.json()["reasons"][0]
        assert "MODELS_DIR" in answer.json()["reasons"][1]
        assert client.get("/health").status_code == 200


def test_second_trainer_on_the_same_state_is_refused(
    client: TestClient, settings: Settings
) -> None:
    """Two trainers never run the same queue."""
    with pytest.raises(ConflictError, match="state folder"):
        create_app(settings, {})
    assert client.get("/health").status_code == 200


@pytest.mark.parametrize("path", ["/runs/nothing", "/runs/nothing/log", "/runs/jobs/nothing"])
def test_unknown_run_is_not_found(client: TestClient, path: str) -> None:
    """An id that is nobody's is a 404 with our body."""
    answer = client.get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
