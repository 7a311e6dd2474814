"""HTTP of the trainer: shapes only; what happens is decided in the domain modules."""

from typing import Annotated

from fastapi import APIRouter, Header

from contracts.artefact import BaseModelRef, CurrentModel, ModelManifest
from contracts.identity import new_id
from contracts.job import Job
from contracts.model import Authored, Name
from contracts.run import RunEvent, RunRecord, RunRequest
from kit.errors import NotFoundError
from trainer import current
from trainer.intake import submit
from trainer.promote import file_checks, find_model, readable_models, refuse
from trainer.recipe import RecipeInfo
from trainer.runfolder import RunFolder, first_record
from trainer.workshop import Workshop

Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=128)]


class Rollback(Authored):
    """Body of `POST /rollback`: the alias that goes back by one version."""

    name: Name


def library_routes(shop: Workshop) -> APIRouter:
    """Return the routes of what can be trained with."""
    router = APIRouter(tags=["library"])

    @router.get("/recipes")
    def recipes() -> list[RecipeInfo]:
        return shop.shelf.all()

    @router.get("/bases")
    def bases() -> list[BaseModelRef]:
        return shop.bases.all()

    return router


def run_routes(shop: Workshop) -> APIRouter:
    """Return the routes of runs; those of their jobs come from kit."""
    router = APIRouter(prefix="/runs", tags=["runs"])

    @router.post("", status_code=202)
    def start(request: RunRequest, idempotency_key: Key = None) -> Job:
        return submit(shop, request, idempotency_key)

    @router.get("")
    def all_runs() -> list[RunRecord]:
        return [with_state(shop, job) for job in shop.store.newest("run")]

    @router.get("/{run_id}")
    def show(run_id: str) -> RunRecord:
        return with_state(shop, run_job(shop, run_id))

    @router.get("/{run_id}/log")
    def log(run_id: str) -> list[RunEvent]:
        return RunFolder(shop.volume, run_job(shop, run_id).id).events()

    return router


def run_job(shop: Workshop, run_id: str) -> Job:
    """Return the job of a run. Raises NotFoundError."""
    job = shop.store.get(run_id)
    if job.kind != "run":
        raise NotFoundError(f"there is no run {run_id[:80]!r}", field="id")
    return job


def with_state(shop: Workshop, job: Job) -> RunRecord:
    """Return a run's record with the state of its job, which knows of a cancelled queue too."""
    record = first_record(job, RunFolder(shop.volume, job.id))
    return record.model_copy(update={"state": job.state})


def model_routes(shop: Workshop) -> APIRouter:
    """Return the routes of models, and of what serving must serve."""
    router = APIRouter(tags=["models"])

    @router.get("/models")
    def models() -> list[ModelManifest]:
        return readable_models(shop)

    @router.get("/models/{model_id}")
    def show(model_id: str) -> ModelManifest:
        return find_model(shop, model_id)

    @router.post("/models/{model_id}/stage")
    def stage(model_id: str) -> CurrentModel:
        model = find_model(shop, model_id)
        refuse(model, file_checks(shop, model))
        return shop.board.change(lambda now: current.stage(now, model))

    @router.post("/models/{model_id}/promote", status_code=202)
    def promote(model_id: str, idempotency_key: Key = None) -> Job:
        model = find_model(shop, model_id)
        job_id = new_id(f"promote-{model.name}")
        return shop.promotions.submit("promotion", job_id, {"model_id": model.id}, idempotency_key)

    @router.get("/current")
    def show_current() -> CurrentModel:
        return shop.board.show()

    @router.post("/rollback")
    def rollback(request: Rollback) -> CurrentModel:
        return shop.board.change(lambda now: current.rollback(now, request.name))

    return router
