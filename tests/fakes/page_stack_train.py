"""The trainer as the Train tab sees it: what there is, advice, runs, models and GPUs."""

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Header
from starlette.responses import JSONResponse

from contracts.advice import AdviceRequest
from contracts.artefact import ModelManifest
from contracts.identity import now
from contracts.job import Job, JobState, Progress
from contracts.run import RunOutput, RunRecord, RunRequest
from fakes.lent import run_job
from fakes.live_model import manifest
from fakes.page_answers import error
from fakes.page_stack_models import add_models
from fakes.recorded_runs import run_log
from fakes.train_state import BASES, other_model
from repository import ROOT
from trainer.recipe import Shelf

if TYPE_CHECKING:
    from fakes.stack import Stack

RECIPES = Shelf(ROOT / "services/trainer/recipes").all()


def refused(field: str, message: str, hint: str = "") -> JSONResponse:
    """Return how the trainer refuses what a field says."""
    body = {"code": "invalid_input", "message": message, "field": field, "hint": hint}
    return JSONResponse({"error": body}, status_code=422)


def models_of(stack: "Stack") -> list[ModelManifest]:
    """Return all models: the live one, one that is not served, and what a test adds."""
    live = manifest(stack.styles, stack.conditioning)
    return [other_model(live, stack.styles), live, *stack.train.models]


def add_train(app: FastAPI, stack: "Stack") -> None:
    """Add what the tab asks."""
    add_library(app, stack)
    add_runs(app, stack)
    add_orders(app, stack)
    add_models(app, stack, lambda: models_of(stack))


def add_library(app: FastAPI, stack: "Stack") -> None:
    """Add what a run can be made of."""

    @app.get("/recipes")
    def recipes() -> Any:
        return RECIPES

    @app.get("/bases")
    def bases() -> Any:
        return BASES

    @app.get("/gpus")
    def gpus() -> Any:
        return stack.gpus

    @app.post("/advice")
    def advise(request: AdviceRequest) -> Any:
        if request.dataset_id not in {each.id for each in stack.datasets}:
            return refused("dataset_id", f"there is no dataset {request.dataset_id!r}")
        return stack.train.advice


def add_runs(app: FastAPI, stack: "Stack") -> None:
    """Add the runs as they are listed and looked at."""

    @app.get("/runs/jobs/{run_id}")
    def read_job(run_id: str) -> Any:
        found = place(stack, run_id)
        if found is None:
            return run_job(run_id, stack.progress)
        return job_of(stack.runs[found], stack.progress)

    @app.get("/runs")
    def runs() -> Any:
        return stack.runs

    @app.get("/runs/{run_id}/log")
    def log(run_id: str) -> Any:
        return run_log(next(run for run in stack.runs if run.id == run_id))

    @app.get("/runs/{run_id}/output")
    def output(run_id: str) -> Any:
        text = stack.train.output if place(stack, run_id) is not None else ""
        return RunOutput(text=text, end=len(text), size=len(text))


def add_orders(app: FastAPI, stack: "Stack") -> None:
    """Add what starts, stops and resumes a run."""

    @app.post("/runs", status_code=202)
    def start(request: RunRequest, idempotency_key: str = Header("")) -> Any:
        if request.dataset_id not in {each.id for each in stack.datasets}:
            return refused("dataset_id", f"there is no dataset {request.dataset_id!r}")
        known = stack.train.keys.get(idempotency_key)
        if known is None:
            known = f"{request.name}-20261123-{len(stack.runs):06x}"
            stack.train.keys[idempotency_key] = known
            run = RunRecord(
                id=known, state=JobState.QUEUED, request=request, created_at=now(), queue_place=1
            )
            stack.runs = [run, *stack.runs]
        found = place(stack, known)
        return job_of(stack.runs[found or 0], Progress())

    @app.post("/runs/jobs/{run_id}/cancel", status_code=202)
    def cancel(run_id: str) -> Any:
        return moved(stack, run_id, JobState.CANCELLED, wrong=True)

    @app.post("/runs/jobs/{run_id}/resume", status_code=202)
    def resume(run_id: str) -> Any:
        return moved(stack, run_id, JobState.QUEUED, wrong=False)


def place(stack: "Stack", run_id: str) -> int | None:
    """Return the place of a run in the list, or None."""
    return next((number for number, run in enumerate(stack.runs) if run.id == run_id), None)


def moved(stack: "Stack", run_id: str, state: JobState, *, wrong: bool) -> Any:
    """Move a run to a state; one whose end is `wrong` is refused."""
    number = place(stack, run_id)
    if number is None:
        return error(404, "there is no such run", "not_found")
    run = stack.runs[number]
    if run.state.final is wrong:
        return error(409, f"the run is {run.state}", "conflict")
    waits = 1 if state is JobState.QUEUED else None
    stack.runs[number] = run.model_copy(update={"state": state, "queue_place": waits})
    return job_of(stack.runs[number], Progress())


def job_of(run: RunRecord, progress: Progress) -> Job:
    """Return the job of a run."""
    return run_job(run.id, progress).model_copy(update={"state": run.state})
