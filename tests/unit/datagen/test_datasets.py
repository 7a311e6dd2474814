"""Tests of the job "dataset" where the HTTP tests do not reach."""

import errno

import pytest

from contracts.job import JobState
from contracts.volume import MANIFEST
from datagen.app import handlers
from datagen.datasets import KIND, Stopper
from datagen.journals import SAMPLES, read_samples, write_lines
from datagen.replies import REPLIES
from datagen.services import Services
from kit.worker import Worker

REQUEST = {"styles": ["tsundere"], "per_style": 4}


async def test_job_killed_after_publication_is_done_at_once(services: Services) -> None:
    """The published folder decides, not the table."""
    worker = Worker(services.store, handlers(services))
    for name in ("first", "first"):
        if not services.store.newest(KIND):
            services.store.submit(KIND, name, REQUEST)
        else:
            services.store._set(name, state=JobState.QUEUED)
        job = services.store.claim()
        assert job is not None
        await worker.run_job(job)
        assert services.store.get(name).state is JobState.DONE
    assert services.store.get("first").result["dataset_id"] == "first"
    await services.teacher.close()


async def test_leftover_staging_folder_without_plan_is_finished(services: Services) -> None:
    """Killed between clean-up and rename: the journals alone are enough."""
    worker = Worker(services.store, handlers(services))
    services.store.submit(KIND, "second", REQUEST)
    job = services.store.claim()
    assert job is not None
    await worker.run_job(job)
    folder = services.volume.dataset("second")
    (folder / MANIFEST).unlink()
    folder.rename(folder.with_name(".tmp-second"))
    services.store._set("second", state=JobState.QUEUED)
    calls = services.metrics.registry.get_sample_value
    labels = {"model": "scripted", "status": "ok"}
    before = calls("datagen_teacher_requests_total", labels)
    job = services.store.claim()
    assert job is not None
    await worker.run_job(job)
    assert services.store.get("second").state is JobState.DONE
    assert calls("datagen_teacher_requests_total", labels) == before
    await services.teacher.close()


async def test_rows_of_an_earlier_release_stay_when_it_is_gone_on_with(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It kept no call with a row and no record: what it had accepted is not asked for again."""

    async def killed(*_: object) -> None:
        raise RuntimeError("killed")

    services.store.submit(KIND, "older", REQUEST)
    monkeypatch.setattr("datagen.settling.Settling.run", killed)
    worker = Worker(services.store, handlers(services))
    job = services.store.claim()
    assert job is not None
    await worker.run_job(job)
    monkeypatch.undo()
    staging = services.volume.staging(services.volume.dataset("older"))
    (staging / REPLIES).unlink()
    rows = [row.model_copy(update={"provenance": None}) for row in read_samples(staging)][:3]
    write_lines(staging / SAMPLES, [row.model_dump_json(exclude_defaults=True) for row in rows])
    services.store.resume("older")
    job = services.store.claim()
    assert job is not None
    await worker.run_job(job)
    assert services.store.get("older").state is JobState.DONE
    kept = list(read_samples(services.volume.dataset("older")))
    assert [row for row in kept if row.provenance is None] == rows
    assert len(kept) == 4
    await services.teacher.close()


async def test_full_volume_fails_the_job_with_the_way_out(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """507's code in the job, and a resume finishes it."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    worker = Worker(services.store, handlers(services))
    services.store.submit(KIND, "third", REQUEST)
    monkeypatch.setattr("contracts.durable.os.fsync", full)
    job = services.store.claim()
    assert job is not None
    await worker.run_job(job)
    failed = services.store.get("third")
    assert failed.error is not None
    assert failed.error.code == "storage_full"
    monkeypatch.undo()
    services.store.resume("third")
    job = services.store.claim()
    assert job is not None
    await worker.run_job(job)
    assert services.store.get("third").state is JobState.DONE
    await services.teacher.close()


def test_stopper_asks_rarely_and_never_forgets() -> None:
    """One question in eight reaches the database; yes stays yes."""
    answers = iter([False, True])
    stopper = Stopper(lambda: next(answers))
    assert [stopper() for _ in range(12)] == [False] * 8 + [True] * 4
