"""The client of trainer."""

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from client.errors import ServiceDownError, ServiceError
from client.trainer import TrainerClient
from contracts.advice import AdviceRequest
from contracts.export import ExportRequest
from contracts.run import RunRequest
from fakes.exported import Exported
from fakes.running import running
from fakes.tonesmith_services import ADVICE, MODEL, FakeServices


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


def test_advice_names_a_recipe_with_reasons(fake: FakeServices, trainer: TrainerClient) -> None:
    """The request travels as it is, the answer is a model."""
    request = AdviceRequest(dataset_id="demo-1", card_bytes=24 << 30)
    advice = trainer.advise(request)
    assert advice.model_dump(exclude_unset=True)["recipe"] == ADVICE["recipe"]
    assert json.loads(fake.requests[-1].content) == request.model_dump(mode="json")


def test_export_is_a_job(fake: FakeServices, trainer: TrainerClient) -> None:
    """Its result names what can be downloaded; the key travels with the request."""
    job = trainer.export(MODEL["id"], ExportRequest(form="int8"), key="once")
    assert fake.requests[-1].headers["Idempotency-Key"] == "once"
    assert trainer.export_jobs.wait(job.id).result["export_id"] == f"{MODEL['id']}-int8"


@pytest.mark.parametrize("form", ["adapter", "merged", "int8"])
def test_archive_is_saved_as_it_was_sent(tmp_path: Path, form: str) -> None:
    """Over a real connection; a model's own forms and an export have each their route."""
    exported = Exported()
    with running(exported.app) as url, TrainerClient(url) as trainer:
        name = exported.id if form == "int8" else MODEL["id"]
        size = trainer.archive(name, form, tmp_path / "a.tar")  # type: ignore[arg-type]
    content = (tmp_path / "a.tar").read_bytes()
    assert len(content) == size
    assert content == exported.tar(form)


def test_broken_or_refused_archive_leaves_nothing(tmp_path: Path) -> None:
    """Half a file is never taken for a model, and a refusal is no file."""
    exported = Exported(break_off=1000)
    with running(exported.app) as url, TrainerClient(url) as trainer:
        with pytest.raises(ServiceDownError):
            trainer.archive(MODEL["id"], "merged", tmp_path / "a.tar")
        with pytest.raises(ServiceError, match="no export"):
            trainer.archive("other", "int8", tmp_path / "a.tar")
    assert not list(tmp_path.iterdir())


def test_large_archive_needs_little_memory(tmp_path: Path) -> None:
    """The size of a model is the disk's business: 64 MiB pass through a few of them."""
    piece = bytes(1 << 20)
    answer = httpx.MockTransport(lambda _: httpx.Response(200, content=(piece for _ in range(64))))
    tracemalloc.start()
    try:
        with TrainerClient("http://127.0.0.1:8002", transport=answer) as trainer:
            size = trainer.archive(MODEL["id"], "merged", tmp_path / "a.tar")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size == 64 << 20
    assert peak < 8 << 20


def test_gpus_are_a_report(fake: FakeServices, trainer: TrainerClient) -> None:
    """A machine without one has an empty one."""
    card = {"uuid": "GPU-0", "index": 0, "name": "H100", "up": True, "power_watts": 612.5}
    body = {"available": True, "gpus": [card]}
    fake.answers["GET /gpus"] = lambda _: httpx.Response(200, json=body)
    assert trainer.gpus().gpus[0].power_watts == 612.5
    fake.answers["GET /gpus"] = lambda _: httpx.Response(200, json={"available": False})
    assert trainer.gpus().gpus == []
