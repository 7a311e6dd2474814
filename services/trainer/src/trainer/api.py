"""HTTP of the trainer: shapes only; what happens is decided in the domain modules."""

from collections.abc import Iterator
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from contracts.advice import Advice, AdviceRequest
from contracts.artefact import BaseModelRef, CurrentModel, ModelManifest
from contracts.export import ExportManifest, ExportRequest
from contracts.gpu import GpuReport
from contracts.identity import new_id
from contracts.job import Job
from contracts.model import Authored, Name
from contracts.run import RunEvent, RunOutput, RunRecord, RunRequest
from kit.errors import NotFoundError
from trainer import current, exports
from trainer.advising import advice
from trainer.archive import MERGED, archive, part_of
from trainer.intake import submit
from trainer.output import read_output
from trainer.promote import file_checks, find_model, readable_models, refuse
from trainer.recipe import RecipeInfo
from trainer.runfolder import RunFolder, first_record
from trainer.workshop import Workshop

Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=128)]
From = Annotated[int | None, Query(alias="from", ge=0)]


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

    @router.get("/gpus")
    def gpus() -> GpuReport:
        return shop.gpus.report()

    @router.post("/advice")
    async def advise(request: AdviceRequest) -> Advice:
        return await advice(shop, request)

    return router


def run_routes(shop: Workshop) -> APIRouter:
    """Return the routes of runs; those of their jobs come from kit."""
    router = APIRouter(prefix="/runs", tags=["runs"])

    @router.post("", status_code=202)
    def start(request: RunRequest, idempotency_key: Key = None) -> Job:
        return submit(shop, request, idempotency_key)

    @router.get("")
    def all_runs() -> list[RunRecord]:
        return listed(shop)

    @router.get("/{run_id}")
    def show(run_id: str) -> RunRecord:
        return with_state(shop, run_job(shop, run_id), waiting(shop))

    @router.get("/{run_id}/log")
    def log(run_id: str) -> list[RunEvent]:
        return RunFolder(shop.volume, run_job(shop, run_id).id).events()

    @router.get("/{run_id}/output")
    def output(run_id: str, start: From = None) -> RunOutput:
        return read_output(RunFolder(shop.volume, run_job(shop, run_id).id), start)

    return router


def run_job(shop: Workshop, run_id: str) -> Job:
    """Return the job of a run. Raises NotFoundError."""
    job = shop.store.get(run_id)
    if job.kind != "run":
        raise NotFoundError(f"there is no run {run_id[:80]!r}", field="id")
    return job


def listed(shop: Workshop) -> list[RunRecord]:
    """Return the newest runs: those that wait in the order in which they start, last one first.

    So the list goes on where it began: what starts next stands above what runs, and that above what
    has ended.
    """
    jobs = shop.store.newest("run")
    places = waiting(shop)
    jobs.sort(key=lambda job: -places.get(job.id, 0))  # stable: the others stay newest first
    return [with_state(shop, job, places) for job in jobs]


def waiting(shop: Workshop) -> dict[str, int]:
    """Return the place in the queue, from 1 on, of each run that waits."""
    return {job.id: place for place, job in enumerate(shop.store.waiting(), start=1)}


def with_state(shop: Workshop, job: Job, places: dict[str, int]) -> RunRecord:
    """Return a run's record with the state of its job, which knows of a cancelled queue too."""
    record = first_record(job, RunFolder(shop.volume, job.id))
    return record.model_copy(update={"state": job.state, "queue_place": places.get(job.id)})


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


def export_routes(shop: Workshop) -> APIRouter:
    """Return the routes of models in another form, and of what is taken away of a model."""
    router = APIRouter(tags=["exports"])

    @router.post("/models/{model_id}/exports", status_code=202)
    def export(model_id: str, request: ExportRequest, idempotency_key: Key = None) -> Job:
        return exports.submit(shop, model_id, request, idempotency_key)

    @router.get("/exports")
    def all_exports() -> list[ExportManifest]:
        return [exports.find_export(shop, name) for name in shop.volume.published("exports")]

    @router.get("/exports/{export_id}/archive", response_class=StreamingResponse)
    def export_archive(export_id: str) -> StreamingResponse:
        found = exports.find_export(shop, export_id)
        return tar(archive(shop.volume.export(found.id), found.files), found.id)

    @router.get("/models/{model_id}/archive", response_class=StreamingResponse)
    def model_archive(model_id: str, form: Literal["adapter", "merged"]) -> StreamingResponse:
        model = find_model(shop, model_id)
        files = part_of(model, form)
        if not files or (form == "adapter" and not model.lora_rank):
            raise NotFoundError(f"model {model.id} has no form {form!r}", field="form")
        inside = MERGED if form == "merged" else ""
        pieces = archive(shop.volume.model(model.id), files, inside)
        return tar(pieces, f"{model.id}-{form}")

    return router


def tar(pieces: Iterator[bytes], name: str) -> StreamingResponse:
    """Return a tar that is sent piece by piece, under a name for whoever saves it."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.tar"'}
    return StreamingResponse(pieces, media_type="application/x-tar", headers=headers)
