"""Runs, over HTTP, with the fake engine: to the end, cancelled, killed, crashed."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from contracts.job import Job, JobState
from contracts.volume import Volume
from fakes.trainer_app import follow
from fakes.training import DATASET, expect_whole_run
from trainer.app import create_app
from trainer.config import Settings

Wait = Callable[[str], Job]


def start(client: TestClient, **changes: Any) -> str:
    """Start a short run and return its id."""
    overrides = {"max_steps": 12, "save_steps": 4} | changes.pop("overrides", {})
    body = {"dataset_id": DATASET, "overrides": overrides} | changes
    answer = client.post("/runs", json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def finish(client: TestClient, wait: Wait, **changes: Any) -> Job:
    """Start a run, wait for its end, return its job."""
    return wait(f"/runs/jobs/{start(client, **changes)}")


def test_run_publishes_a_model_with_its_history(
    client: TestClient, wait: Wait, volume: Volume
) -> None:
    """A run ends with a published model that says what made it."""
    job = finish(client, wait)
    assert (job.state, job.result, job.progress.stage) == ("done", {"model_id": job.id}, "publish")
    model = expect_whole_run(volume, job.id)
    assert (model.dataset_id, model.base.name, model.lora_rank) == (DATASET, "starter", 16)
    assert model.recipe["max_steps"] == 12
    assert model.styles[0].style.id == "tsundere"


def test_record_and_log_tell_the_run(client: TestClient, wait: Wait) -> None:
    """The record has the last figures, the log every event in the order of the steps."""
    job = finish(client, wait)
    record = client.get(f"/runs/{job.id}").json()
    assert (record["state"], record["step"], record["max_steps"]) == ("done", 12, 12)
    assert record["loss"] == pytest.approx(8 / 13)
    assert record["eval_loss"] == pytest.approx(9 / 13)
    assert record["engine"]["llamafactory"] == "0.9.5"
    assert record["model_id"] == job.id
    events = client.get(f"/runs/{job.id}/log").json()
    assert [event["kind"] for event in events][:: len(events) - 1] == ["start", "end"]
    steps = [event["step"] for event in events]
    assert steps == sorted(steps)
    assert [run["id"] for run in client.get("/runs").json()] == [job.id]


def test_same_key_starts_one_run(client: TestClient, wait: Wait) -> None:
    """A request that is sent again with its key is the same run."""
    body = {"dataset_id": DATASET, "overrides": {"max_steps": 2}}
    ids = {
        client.post("/runs", json=body, headers={"Idempotency-Key": "k1"}).json()["id"]
        for _ in range(3)
    }
    assert len(ids) == 1
    wait(f"/runs/jobs/{ids.pop()}")
    assert len(client.get("/runs").json()) == 1


@pytest.mark.parametrize(
    ("change", "field", "known"),
    [
        ({"base_model": "gpt-99"}, "base_model", "starter"),
        ({"base_model": "../starter"}, "base_model", "starter"),
        ({"dataset_id": "nothing-here"}, "dataset_id", DATASET),
        ({"recipe": "magic"}, "recipe", "lora"),
        ({"overrides": {"learning_rate": 7}}, "overrides.learning_rate", ""),
        ({"overrides": {"deepspeed": "x"}}, "overrides.deepspeed", ""),
        ({"name": "../x"}, "name", ""),
    ],
)
def test_bad_request_names_the_field_and_writes_nothing(
    client: TestClient, volume: Volume, change: dict[str, Any], field: str, known: str
) -> None:
    """What a request gets wrong is said with what is known, and leaves no trace."""
    answer = client.post("/runs", json={"dataset_id": DATASET} | change)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["field"] == field
    assert known in error["message"]
    assert client.get("/runs").json() == []
    assert not (volume.root / "runs").exists()


def test_run_that_cannot_fit_is_refused(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full volume is said before the run starts."""
    monkeypatch.setattr("trainer.intake.shutil.disk_usage", lambda _: type("U", (), {"free": 3})())
    answer = client.post("/runs", json={"dataset_id": DATASET})
    assert (answer.status_code, answer.json()["error"]["code"]) == (507, "storage_full")


def test_engine_that_is_killed_resumes_by_itself(
    client: TestClient, wait: Wait, environ: dict[str, str], volume: Volume
) -> None:
    """Each start gets further, so the run goes on until the engine fails to advance."""
    environ["FAILPOINT"] = "fake.killed@6"
    job = finish(client, wait)
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert "killed by SIGKILL" in job.error.message
    assert volume.run_record(job.id).resumed_from == [4]
    del environ["FAILPOINT"]
    client.post(f"/runs/jobs/{job.id}/resume")
    done = wait(f"/runs/jobs/{job.id}")
    assert done.state is JobState.DONE
    steps = [event["step"] for event in client.get(f"/runs/{job.id}/log").json()]
    assert steps == sorted(steps)


def test_half_checkpoint_is_quarantined(
    client: TestClient, wait: Wait, environ: dict[str, str], volume: Volume
) -> None:
    """A kill between the weights and the rest of a save costs that checkpoint alone."""
    environ["FAILPOINT"] = "ckpt.after_model"
    job = finish(client, wait)
    assert job.state is JobState.FAILED
    del environ["FAILPOINT"]
    client.post(f"/runs/jobs/{job.id}/resume")
    assert wait(f"/runs/jobs/{job.id}").state is JobState.DONE
    assert list((volume.run(job.id) / "checkpoints").glob("quarantined-checkpoint-4*"))


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        ("fake.crash", "engine_failed", "status 1"),
        ("fake.memory", "out_of_memory", "CUDA out of memory"),
        ("fake.unfit", "fit_failed", "no row can be trained on"),
        ("fake.diverged", "non_finite_loss", "diverged"),
        ("fake.broken_template", "gate_refused", "assistent"),
    ],
)
def test_engine_fault_is_classified(
    client: TestClient, wait: Wait, environ: dict[str, str], fault: str, code: str, words: str
) -> None:
    """A run that fails says why, and publishes nothing."""
    environ["FAILPOINT"] = fault
    job = finish(client, wait)
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert job.error.code == code
    assert words in job.error.message
    assert client.get("/models").json() == []
    assert json.loads(client.get(f"/runs/{job.id}").text)["error"]["code"] == code


@pytest.mark.parametrize(("fault", "patience", "saves"), [("", 60.0, 1), ("fake.deaf", 0.3, 0)])
def test_cancel_lets_the_engine_save_or_kills_it(
    settings: Settings, environ: dict[str, str], fault: str, patience: float, saves: int
) -> None:
    """One that listens has its time; one that does not is killed when the time is over."""
    environ["FAILPOINT"] = fault
    patient = settings.model_copy(update={"cancel_seconds": patience})
    with TestClient(create_app(patient, environ)) as client:
        run = start(client, overrides={"max_steps": 100_000, "save_steps": 50_000})
        wait_for_step(client, run)
        assert client.post(f"/runs/jobs/{run}/cancel").status_code == 202
        assert follow(client, f"/runs/jobs/{run}").state is JobState.CANCELLED
        assert client.get(f"/runs/{run}").json()["state"] == "cancelled"
        log = client.get(f"/runs/{run}/log").json()
    assert len([event for event in log if event["kind"] == "save"]) == saves


def wait_for_step(client: TestClient, run: str) -> None:
    """Return once the run has taken a step."""
    with client.stream("GET", f"/runs/jobs/{run}/events") as answer:
        for line in answer.iter_lines():
            if line.startswith("data: "):
                job = Job.model_validate_json(line.removeprefix("data: "))
                if job.progress.done > 0 or job.state.final:
                    return
