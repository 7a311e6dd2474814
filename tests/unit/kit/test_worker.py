"""Tests of the worker and of the routes that show its jobs."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry

from contracts.job import Job, JobState, Progress
from fakes.clock import FakeClock
from kit.app import create_service_app
from kit.errors import InvalidInputError
from kit.jobs import JobStore
from kit.worker import Handler, JobContext, Outcome, Worker, job_events, job_routes


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    """An empty table."""
    store = JobStore(tmp_path)
    yield store
    store.close()


async def run(store: JobStore, handler: Handler, kind: str = "run") -> Job:
    """Run one job with `handler` and return it."""
    store.submit(kind, "r-1", {"n": 1})
    job = store.claim()
    assert job is not None
    await Worker(store, {"run": handler}).run_job(job)
    return store.get("r-1")


async def test_outcome_is_recorded(store: JobStore) -> None:
    """What the handler returns is the job's final state and result."""

    async def handler(job: Job, _: JobContext) -> Outcome:
        return Outcome(JobState.INCOMPLETE, {"seen": job.request["n"]})

    job = await run(store, handler)
    assert (job.state, job.result) == (JobState.INCOMPLETE, {"seen": 1})


async def test_known_error_fails_the_job_with_its_body(store: JobStore) -> None:
    """The message for people, the field and the way out reach the job."""

    async def handler(_: Job, __: JobContext) -> Outcome:
        raise InvalidInputError("no such base", field="base_model", hint="use starter")

    job = await run(store, handler)
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert (job.error.code, job.error.field, job.error.hint) == (
        "invalid_input",
        "base_model",
        "use starter",
    )


async def test_bug_fails_the_job_and_not_the_worker(
    store: JobStore, caplog: pytest.LogCaptureFixture
) -> None:
    """The trace goes to the log, its first line to the job, cut to a sane length."""

    async def handler(_: Job, __: JobContext) -> Outcome:
        raise ZeroDivisionError("x" * 900)

    job = await run(store, handler)
    assert job.error is not None
    assert job.error.message.startswith("ZeroDivisionError: xxx")
    assert len(job.error.message) == 500
    assert "Traceback" in caplog.text


async def test_unknown_kind_fails_the_job(store: JobStore) -> None:
    """A job of a newer version's kind does not stop the worker."""

    async def handler(_: Job, __: JobContext) -> Outcome:
        return Outcome()

    assert (await run(store, handler, kind="teleport")).state is JobState.FAILED


async def test_worker_runs_jobs_until_it_is_left(store: JobStore) -> None:
    """Queued jobs run in turn; leaving stops the current one, which waits again later."""
    started = asyncio.Event()

    async def handler(job: Job, _: JobContext) -> Outcome:
        if job.id == "r-2":
            started.set()
            await asyncio.Event().wait()
        return Outcome()

    store.submit("run", "r-1", {})
    store.submit("run", "r-2", {})
    async with Worker(store, {"run": handler}).running():
        await asyncio.wait_for(started.wait(), 60)
    assert store.get("r-1").state is JobState.DONE
    assert store.get("r-2").state is JobState.RUNNING


async def test_worker_lives_on_when_the_table_fails(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk delays jobs; it does not leave a service that never works again."""
    claim, failures = store.claim, [1, 2]
    done = asyncio.Event()

    def failing() -> Job | None:
        if failures:
            failures.pop()
            raise sqlite3.OperationalError("database or disk is full")
        return claim()

    async def handler(_: Job, __: JobContext) -> Outcome:
        done.set()
        return Outcome()

    monkeypatch.setattr(store, "claim", failing)
    monkeypatch.setattr("kit.worker.POLL_SECONDS", 0.001)
    store.submit("run", "r-1", {})
    async with Worker(store, {"run": handler}).running():
        await asyncio.wait_for(done.wait(), 60)
    assert failures == []


async def test_progress_is_written_at_most_twice_a_second(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fast loop does not wear out the disk; forcing writes at once."""
    clock = FakeClock(1000.0)
    monkeypatch.setattr("kit.worker.time", SimpleNamespace(monotonic=clock))

    async def handler(_: Job, context: JobContext) -> Outcome:
        for done in range(100):
            context.progress(Progress(done=done))
        assert store.get("r-1").progress.done == 0
        clock.now += 0.4
        context.progress(Progress(done=50))
        assert store.get("r-1").progress.done == 0
        clock.now += 0.1
        context.progress(Progress(done=51))
        assert store.get("r-1").progress.done == 51
        context.progress(Progress(done=100), force=True)
        return Outcome()

    assert (await run(store, handler)).progress.done == 100


async def test_handler_sees_the_wish_to_stop(store: JobStore) -> None:
    """Cancelling reaches the handler through its context."""

    async def handler(job: Job, context: JobContext) -> Outcome:
        assert not context.cancelled
        store.request_cancel(job.id)
        return Outcome(JobState.CANCELLED if context.cancelled else JobState.DONE)

    assert (await run(store, handler)).state is JobState.CANCELLED


async def test_events_end_with_the_final_state(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One event for each change, the last one final."""
    monkeypatch.setattr("kit.worker.POLL_SECONDS", 0.001)
    store.submit("run", "r-1", {})
    states = []
    async for event in job_events(store, "r-1"):
        assert event.startswith("data: ")
        assert event.endswith("\n\n")
        states.append(Job.model_validate_json(event[6:]).state.value)
        if states[-1] == "queued":
            store.claim()
        else:
            store.finish("r-1", JobState.DONE)
    assert states == ["queued", "running", "done"]


@pytest.fixture
def client(store: JobStore) -> Iterator[TestClient]:
    """A client of an app with the routes of two kinds of jobs."""
    app = create_service_app("x", registry=CollectorRegistry(), version="0")
    app.include_router(job_routes(store, "/runs", "run"))
    app.include_router(job_routes(store, "/datasets", "dataset"))
    with TestClient(app) as client:
        yield client


def test_routes_show_cancel_and_resume(client: TestClient, store: JobStore) -> None:
    """The life of a job over HTTP."""
    store.submit("run", "r-1", {})
    assert [job["id"] for job in client.get("/runs/jobs").json()] == ["r-1"]
    assert client.get("/datasets/jobs").json() == []
    cancelled = client.post("/runs/jobs/r-1/cancel")
    assert (cancelled.status_code, cancelled.json()["state"]) == (202, "cancelled")
    assert client.post("/runs/jobs/r-1/resume").json()["state"] == "queued"
    again = client.post("/runs/jobs/r-1/resume")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "conflict")


@pytest.mark.parametrize("path", ["jobs/r-1", "jobs/r-1/events", "jobs/missing"])
def test_job_of_another_kind_is_not_found(client: TestClient, store: JobStore, path: str) -> None:
    """A dataset's routes do not show or stop a run."""
    store.submit("run", "r-1", {})
    response: Any = client.get(f"/datasets/{path}")
    assert response.status_code == 404
    assert response.json()["error"]["field"] == "id"


def test_events_are_streamed(client: TestClient, store: JobStore) -> None:
    """Server-sent events over HTTP, ending with the job."""
    store.submit("run", "r-1", {})
    store.finish("r-1", JobState.DONE)
    response = client.get("/runs/jobs/r-1/events")
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.text.count("data: ") == 1
