"""The jobs of a stand-in: listed, cancelled and resumed as every service does it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from fastapi import FastAPI

from contracts.identity import now
from contracts.job import Job, JobState, Progress
from fakes.page_answers import error


def job(job_id: str, state: JobState = JobState.RUNNING, age: float = 0, **values: Any) -> Job:
    """Return a job that was made `age` seconds ago."""
    made = now() - timedelta(seconds=age)
    known: dict[str, Any] = {
        "kind": "dataset",
        "request": {},
        "progress": Progress(stage="generate", done=3, total=10),
        "created_at": made,
        "updated_at": made,
    }
    return Job(id=job_id, state=state, **known | values)


def add_jobs(app: FastAPI, prefix: str, jobs: Callable[[], list[Job]]) -> None:
    """Add the routes of the jobs in a list, the newest first, which changes as they are told."""

    def place(job_id: str) -> int | None:
        return next((number for number, job in enumerate(jobs()) if job.id == job_id), None)

    def moved(job_id: str, state: JobState, wrong: bool) -> Any:
        number = place(job_id)
        if number is None:
            return error(404, "there is no such job", "not_found")
        job = jobs()[number]
        if job.state.final is wrong:
            return error(409, f"the job is {job.state}", "conflict")
        jobs()[number] = job.model_copy(update={"state": state, "updated_at": now()})
        return jobs()[number]

    @app.get(f"{prefix}/jobs")
    def listed() -> list[Job]:
        return jobs()

    @app.get(prefix + "/jobs/{job_id}")
    def shown(job_id: str) -> Any:
        number = place(job_id)
        return error(404, "no such job", "not_found") if number is None else jobs()[number]

    @app.post(prefix + "/jobs/{job_id}/cancel", status_code=202)
    def cancel(job_id: str) -> Any:
        return moved(job_id, JobState.CANCELLED, wrong=True)

    @app.post(prefix + "/jobs/{job_id}/resume", status_code=202)
    def resume(job_id: str) -> Any:
        return moved(job_id, JobState.QUEUED, wrong=False)
