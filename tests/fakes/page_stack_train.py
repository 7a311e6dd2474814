"""The trainer as the Train tab sees it: runs, models and GPUs."""

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from fakes.lent import run_job
from fakes.live_model import MODEL_ID, current, manifest
from fakes.page_answers import error
from fakes.recorded_runs import run_log

if TYPE_CHECKING:
    from fakes.stack import Stack


def add_train(app: FastAPI, stack: "Stack") -> None:
    """Add what the tab asks."""

    @app.get("/current")
    def read_current() -> Any:
        return current(promoted=stack.promoted)

    @app.get("/runs/jobs/{run_id}")
    def read_job(run_id: str) -> Any:
        return run_job(run_id, stack.progress)

    @app.get("/runs")
    def runs() -> Any:
        return stack.runs

    @app.get("/runs/{run_id}/log")
    def log(run_id: str) -> Any:
        return run_log(next(run for run in stack.runs if run.id == run_id))

    @app.get("/models/{model_id}")
    def read_manifest(model_id: str) -> Any:
        known = manifest(stack.styles, stack.conditioning)
        return known if model_id == MODEL_ID else error(404, "no such model")

    @app.get("/gpus")
    def gpus() -> Any:
        return stack.gpus
