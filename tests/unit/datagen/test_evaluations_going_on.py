"""Tests of evaluations that are killed, cancelled or kept waiting: they stop, and they go on."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from contracts.job import JobState
from contracts.volume import Volume
from datagen.evaluate import journalled
from fakes.evaluation_jobs import REPLIES, handler, run, server_of, submit
from fakes.openai_server import OpenAIServer
from fakes.styled_dataset import plain_model, publish_dataset, samples, styled_model
from kit.jobs import JobStore
from kit.worker import Worker


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    """A volume with a generated dataset of four styles."""
    volume = Volume(tmp_path / "data")
    publish_dataset(volume, samples(14))
    return volume


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    """An empty table of jobs."""
    store = JobStore(tmp_path / "state")
    yield store
    store.close()


async def test_killed_evaluation_goes_on_where_it_was(volume: Volume, store: JobStore) -> None:
    """After a stop in the middle nothing is asked twice, and the figures are the same."""
    submit(store)
    enough = asyncio.Event()

    def counting(messages: list[dict[str, str]]) -> str:
        if len(server.requests) >= 60:
            enough.set()
        return plain_model(messages)

    server = OpenAIServer({"base": counting, "tonesmith": styled_model()})
    job = store.claim()
    assert job
    task = asyncio.create_task(Worker(store, {"evaluation": handler(volume, server)}).run_job(job))
    await enough.wait()
    task.cancel()  # as on SIGTERM; the job stays "running" until the next start
    with pytest.raises(asyncio.CancelledError):
        await task
    staging = volume.staging(volume.evaluation("eval-1"))
    kept = sum(len(journalled(path)) for path in staging.glob("*.jsonl"))
    assert journalled(staging / "replies.jsonl")
    assert volume.published("evaluations") == []
    store._requeue_orphans()
    again = server_of(styled_model())
    assert (await run(store, volume, again)).state is JobState.DONE
    assert len(again.requests) == REPLIES - kept


async def test_job_killed_after_publication_is_done(volume: Volume, store: JobStore) -> None:
    """A job whose last state was lost finds its report and asks nobody."""
    submit(store)
    await run(store, volume, server_of(styled_model()))
    store.finish("eval-1", JobState.FAILED)
    store.resume("eval-1")
    idle = server_of(styled_model())
    assert (await run(store, volume, idle)).result["verdict"] == "took"
    assert idle.requests == []


async def test_cancelled_evaluation_publishes_nothing(volume: Volume, store: JobStore) -> None:
    """A cancelled job stops between two replies; resuming it finishes it."""
    submit(store)

    def cancelling(messages: list[dict[str, str]]) -> str:
        if not store.cancel_requested("eval-1"):
            store.request_cancel("eval-1")
        return plain_model(messages)

    job = await run(store, volume, server_of(cancelling))
    assert job.state is JobState.CANCELLED
    assert volume.published("evaluations") == []
    store.resume("eval-1")
    assert (await run(store, volume, server_of(styled_model()))).state is JobState.DONE


async def test_evaluation_of_a_model_that_hangs_can_be_cancelled(
    volume: Volume, store: JobStore
) -> None:
    """Nobody waits for a reply that may take an hour of tries."""
    submit(store)
    server = server_of(plain_model)

    async def never(request: httpx.Request) -> httpx.Response:
        store.request_cancel("eval-1")
        await asyncio.Event().wait()
        return httpx.Response(200)

    hanging = handler(volume, server)
    hanging.transport = httpx.MockTransport(never)
    job = store.claim()
    assert job
    await asyncio.wait_for(Worker(store, {"evaluation": hanging}).run_job(job), timeout=60)
    assert store.get("eval-1").state is JobState.CANCELLED
