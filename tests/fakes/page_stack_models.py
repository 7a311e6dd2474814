"""The trainer's models as the Train tab sees them: staged, promoted, rolled back, exported."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from contracts.artefact import CurrentModel, ModelManifest
from contracts.errors import ErrorBody
from contracts.export import ExportManifest, ExportRequest
from contracts.identity import now
from contracts.job import JobState, Progress
from fakes.live_model import current
from fakes.page_answers import error
from fakes.page_jobs import add_jobs, job
from kit.errors import TonesmithError
from trainer import current as board

if TYPE_CHECKING:
    from fakes.stack import Stack

Models = Callable[[], list[ModelManifest]]


def board_of(stack: "Stack") -> CurrentModel:
    """Return what serving must serve."""
    return stack.train.current or current(promoted=stack.promoted)


def add_models(app: FastAPI, stack: "Stack", models: Models) -> None:
    """Add what is asked of models and their exports."""
    add_jobs(app, "/promotions", lambda: stack.train.promotions)
    add_jobs(app, "/exports", lambda: stack.train.exports)
    add_shelf(app, stack, models)
    add_orders(app, stack, models)


def named(models: Models, model_id: str) -> ModelManifest | None:
    """Return the model of that id, or None."""
    return next((each for each in models() if each.id == model_id), None)


def add_shelf(app: FastAPI, stack: "Stack", models: Models) -> None:
    """Add what there is."""

    @app.get("/current")
    def read_current() -> Any:
        return board_of(stack)

    @app.get("/models")
    def all_models() -> Any:
        return models()

    @app.get("/models/{model_id}")
    def read_manifest(model_id: str) -> Any:
        return named(models, model_id) or error(404, "no such model")

    @app.get("/exports")
    def exports() -> Any:
        return stack.train.exported


def add_orders(app: FastAPI, stack: "Stack", models: Models) -> None:
    """Add what changes which model answers, and in which forms there are models."""

    @app.post("/models/{model_id}/stage")
    def stage(model_id: str) -> Any:
        model = named(models, model_id)
        if model is None:
            return error(404, "no such model")
        try:
            stack.train.current = board.stage(board_of(stack), model)
        except TonesmithError as refused:
            return error(refused.status, refused.body.message, refused.body.code)
        return stack.train.current

    @app.post("/models/{model_id}/promote", status_code=202)
    def promote(model_id: str) -> Any:
        model = named(models, model_id)
        if model is None:
            return error(404, "no such model")
        request = {"model_id": model_id}
        done = job("promote-1", JobState.DONE, kind="promotion", request=request)
        if stack.train.refuse_promotion:
            why = ErrorBody(code="gate_refused", message=stack.train.refuse_promotion)
            done = done.model_copy(update={"state": JobState.FAILED, "error": why})
        else:
            stack.train.current = board.promote(board_of(stack), model)
        stack.train.promotions = [done, *stack.train.promotions]
        return done

    @app.post("/rollback")
    def rollback(body: dict[str, str]) -> Any:
        try:
            stack.train.current = board.rollback(board_of(stack), body["name"])
        except TonesmithError as refused:
            return error(refused.status, refused.body.message, refused.body.code)
        return stack.train.current

    @app.post("/models/{model_id}/exports", status_code=202)
    def export(model_id: str, request: ExportRequest) -> Any:
        progress = Progress(stage=f"write {request.form}")
        asked = {"model_id": model_id, "form": request.form}
        made = job("export-1", JobState.RUNNING, kind="export", request=asked, progress=progress)
        stack.train.exports = [made, *stack.train.exports]
        return made


def finish_export(stack: "Stack") -> None:
    """Let the newest export be done."""
    made = stack.train.exports[0].model_copy(update={"state": JobState.DONE})
    stack.train.exports[0] = made
    model_id, form = made.request["model_id"], made.request["form"]
    document = {"id": f"{model_id}-{form}", "model_id": model_id, "form": form, "files": {}}
    done = ExportManifest.model_validate(document | {"created_at": now()})
    stack.train.exported = [done, *stack.train.exported]
