"""The client of trainer."""

from collections.abc import Iterator

import httpx
import pytest

from client.trainer import TrainerClient
from contracts.run import RunRequest
from fakes.tonesmith_services import MODEL, FakeServices


@pytest.fixture
def fake() -> FakeServices:
    return FakeServices()


@pytest.fixture
def trainer(fake: FakeServices) -> Iterator[TrainerClient]:
    with TrainerClient("http://127.0.0.1:8002", transport=fake.transport) as client:
        yield client


def test_run_leads_to_a_model(trainer: TrainerClient) -> None:
    """Training is a job, its record names the model, the model has a manifest."""
    job = trainer.train(RunRequest(dataset_id="demo-1"))
    run = trainer.run(job.id)
    assert run.model_id == trainer.models()[0].id
    assert trainer.model(str(run.model_id)).lora_rank == 8


def test_promotion_is_a_job(trainer: TrainerClient) -> None:
    """Its result holds the name under which requests reach the model."""
    job = trainer.promote(MODEL["id"], key="once")
    assert trainer.promotion_jobs.wait(job.id).result["served_name"] == "tonesmith.v1"


def test_stage_and_rollback_return_what_is_served(trainer: TrainerClient) -> None:
    """Both change `current.json` and answer with it."""
    assert trainer.stage(MODEL["id"]) == trainer.rollback("tonesmith") == trainer.current()


def test_catalogues_are_lists(fake: FakeServices, trainer: TrainerClient) -> None:
    """Bases, recipes, runs and logs are lists."""
    paths = ("/bases", "/recipes", "/runs", "/runs/run-1/log")
    for path in paths:
        fake.answers[f"GET {path}"] = lambda _: httpx.Response(200, json=[])
    found = [trainer.bases(), trainer.recipes(), trainer.runs(), trainer.run_log("run-1")]
    assert found == [[], [], [], []]
    assert [request.url.path for request in fake.requests] == list(paths)
