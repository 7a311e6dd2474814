"""The worker that runs a service's jobs one at a time, and the routes that show them."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter
from starlette.responses import StreamingResponse

from contracts.errors import ErrorBody
from contracts.job import Job, JobState, Progress
from kit.errors import NotFoundError, TonesmithError
from kit.jobs import JobStore

logger = logging.getLogger(__name__)
POLL_SECONDS = 0.2
PROGRESS_SECONDS = 0.5


@dataclass(frozen=True)
class Outcome:
    """How a handler ended: a final state and what the job made."""

    state: JobState = JobState.DONE
    result: dict[str, Any] = field(default_factory=dict)
    error: ErrorBody | None = None


class JobContext:
    """What a handler may do while it runs: report progress, and see whether to stop."""

    def __init__(self, store: JobStore, job: Job) -> None:
        self._store = store
        self.job = job
        self._written = 0.0

    def progress(self, progress: Progress, *, force: bool = False) -> None:
        """Record progress, at most twice a second unless forced."""
        if force or time.monotonic() - self._written >= PROGRESS_SECONDS:
            self._store.progress(self.job.id, progress)
            self._written = time.monotonic()

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked the job to stop."""
        return self._store.cancel_requested(self.job.id)


Handler = Callable[[Job, JobContext], Awaitable[Outcome]]


class Worker:
    """Runs the queued jobs of a store, one at a time, in the order of `JobStore.waiting`.

    Args:
        store: the jobs.
        handlers: by kind. A handler is called again after a crash or `resume` and goes on where
            the artefact's own folder says that it was.
    """

    def __init__(self, store: JobStore, handlers: dict[str, Handler]) -> None:
        self.store = store
        self.handlers = handlers

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run jobs in the background; on leaving, stop the current one, which resumes later."""
        task = asyncio.create_task(self.run_forever())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def run_forever(self) -> None:
        """Run each queued job; wait where there is none."""
        while True:
            try:
                job = self.store.claim()
                if job:
                    await self.run_job(job)
                    continue
            except sqlite3.Error:  # a full disk, say: the service lives on and tries again
                logger.exception("the job table cannot be used")
            await asyncio.sleep(POLL_SECONDS)

    async def run_job(self, job: Job) -> None:
        """Run one job to its final state. A bug in a handler fails the job, not the worker."""
        logger.info("job starts", extra={"job": job.id, "kind": job.kind})
        try:
            outcome = await self.handlers[job.kind](job, JobContext(self.store, job))
        except TonesmithError as error:
            outcome = Outcome(JobState.FAILED, error=error.body)
        except Exception as error:  # the one place where a bug is caught
            logger.exception("job failed", extra={"job": job.id})
            body = ErrorBody(
                code="internal_error", message=f"{type(error).__name__}: {error}"[:500]
            )
            outcome = Outcome(JobState.FAILED, error=body)
        self.store.finish(job.id, outcome.state, result=outcome.result, error=outcome.error)
        logger.info("job ends", extra={"job": job.id, "state": outcome.state.value})


def job_routes(store: JobStore, prefix: str, kind: str) -> APIRouter:
    """Return the routes that every kind of job has, under `prefix` (such as `/datasets`).

    `GET /jobs`, `GET /jobs/{id}`, `GET /jobs/{id}/events` (server-sent events, one `Job` each,
    the last one final), `POST /jobs/{id}/cancel`, `POST /jobs/{id}/resume`.
    """
    router = APIRouter(prefix=prefix, tags=[kind])

    def of_kind(job_id: str) -> Job:
        job = store.get(job_id)
        if job.kind != kind:
            raise NotFoundError(f"there is no {kind} job {job_id[:80]!r}", field="id")
        return job

    @router.get("/jobs")
    def jobs() -> list[Job]:
        return store.newest(kind)

    @router.get("/jobs/{job_id}")
    def show(job_id: str) -> Job:
        return of_kind(job_id)

    @router.get("/jobs/{job_id}/events")
    async def events(job_id: str) -> StreamingResponse:
        of_kind(job_id)
        return StreamingResponse(job_events(store, job_id), media_type="text/event-stream")

    @router.post("/jobs/{job_id}/cancel", status_code=202)
    def cancel(job_id: str) -> Job:
        return store.request_cancel(of_kind(job_id).id)

    @router.post("/jobs/{job_id}/resume", status_code=202)
    def resume(job_id: str) -> Job:
        return store.resume(of_kind(job_id).id)

    return router


async def job_events(store: JobStore, job_id: str) -> AsyncIterator[str]:
    """Yield the job as server-sent events whenever it changed, until it is final."""
    last = None
    while True:
        job = store.get(job_id)
        if job != last:
            yield f"data: {job.model_dump_json()}\n\n"
            last = job
        if job.state.final:
            return
        await asyncio.sleep(POLL_SECONDS)
