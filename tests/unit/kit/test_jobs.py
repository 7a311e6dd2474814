"""Tests of the durable table of jobs."""

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.errors import ErrorBody
from contracts.job import JobState, Progress
from kit.errors import ConflictError, NotFoundError
from kit.jobs import JobStore

# The table as it was before jobs had priorities.
OLD_SCHEMA = """
CREATE TABLE jobs (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, state TEXT NOT NULL, request TEXT NOT NULL,
    progress TEXT NOT NULL, attempts INTEGER NOT NULL, created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL, error TEXT, result TEXT NOT NULL,
    cancel_requested INTEGER NOT NULL DEFAULT 0, idempotency_key TEXT UNIQUE)
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    """An empty table."""
    store = JobStore(tmp_path)
    yield store
    store.close()


def test_job_comes_back_as_it_was_submitted(store: JobStore) -> None:
    """A queued job holds its request and has done nothing yet."""
    job = store.submit("run", "r-1", {"name": "傲娇", "steps": 3})
    assert job == store.get("r-1")
    assert (job.state, job.attempts, job.request) == (
        JobState.QUEUED,
        0,
        {"name": "傲娇", "steps": 3},
    )


def test_jobs_run_in_the_order_of_their_submission(store: JobStore) -> None:
    """First come, first served; a claimed job is not claimed again."""
    for n in range(3):
        store.submit("run", f"r-{n}", {})
    claimed = [store.claim() for _ in range(4)]
    assert [job.id if job else None for job in claimed] == ["r-0", "r-1", "r-2", None]
    assert [job.id for job in store.newest()] == ["r-2", "r-1", "r-0"]
    assert store.get("r-0").attempts == 1


def test_higher_priority_starts_first_then_the_longest_waiting(store: JobStore) -> None:
    """The queue is shown in the order in which its jobs start."""
    for name, priority in (("a", 0), ("b", -3), ("c", 5), ("d", 0), ("e", 5)):
        store.submit("run", name, {}, priority=priority)
    assert [job.id for job in store.waiting()] == ["c", "e", "a", "d", "b"]
    assert [job.priority for job in store.waiting()] == [5, 5, 0, 0, -3]
    claimed = [store.claim() for _ in range(5)]
    assert [job.id if job else None for job in claimed] == ["c", "e", "a", "d", "b"]
    assert store.waiting() == []


def test_resumed_job_keeps_its_priority_and_its_place(store: JobStore) -> None:
    """It was asked for first, so it goes on before what came later."""
    store.submit("run", "r-1", {}, priority=1)
    store.claim()
    store.finish("r-1", JobState.FAILED)
    store.submit("run", "r-2", {}, priority=1)
    store.resume("r-1")
    assert [job.id for job in store.waiting()] == ["r-1", "r-2"]


def test_table_of_an_earlier_version_is_brought_up_to_date(tmp_path: Path) -> None:
    """A table without priorities opens, its jobs have the usual one, and new ones any."""
    with sqlite3.connect(tmp_path / "jobs.sqlite") as old:
        old.execute(OLD_SCHEMA)
        at = "2026-01-02T03:04:05+00:00"
        row = ("r-1", "run", "queued", '{"a": 1}', "{}", 0, at, at, None, "{}", 0, "run:k")
        old.execute(f"INSERT INTO jobs VALUES ({','.join('?' * len(row))})", row)
    old.close()
    for _ in range(2):  # the second time there is nothing to add
        store = JobStore(tmp_path)
        assert (store.get("r-1").priority, store.get("r-1").request) == (0, {"a": 1})
        assert store.submit("run", "r-9", {"a": 1}, key="k").id == "r-1"
        store.close()
    store = JobStore(tmp_path)
    store.submit("run", "r-2", {}, priority=1)
    assert [job.id for job in store.waiting()] == ["r-2", "r-1"]
    store.close()


def test_same_key_returns_the_first_job(store: JobStore) -> None:
    """A request that is sent twice starts one job."""
    first = store.submit("run", "r-1", {"a": 1}, key="k")
    assert store.submit("run", "r-2", {"a": 1}, key="k") == first
    assert len(store.newest()) == 1


def test_key_belongs_to_its_kind(store: JobStore) -> None:
    """The same key for another kind of work is another request."""
    store.submit("dataset", "d-1", {}, key="k")
    assert store.submit("evaluation", "e-1", {}, key="k").id == "e-1"


def test_key_with_another_request_is_a_conflict(store: JobStore) -> None:
    """Answering a new request with an old job would be a lie."""
    store.submit("run", "r-1", {"a": 1}, key="k")
    with pytest.raises(ConflictError, match="another request") as caught:
        store.submit("run", "r-2", {"a": 2}, key="k")
    assert caught.value.body.field == "Idempotency-Key"


def test_taken_id_is_a_conflict(store: JobStore) -> None:
    """Two jobs never share an id."""
    store.submit("run", "r-1", {})
    with pytest.raises(ConflictError, match="r-1"):
        store.submit("run", "r-1", {})


def test_same_key_from_many_threads_starts_one_job(store: JobStore) -> None:
    """Clients that retry at the same instant get the same job."""
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda n=n: found.append(store.submit("run", f"r-{n}", {}, "k").id))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_queued_job_is_cancelled_at_once(store: JobStore) -> None:
    """What has not started needs nobody's consent, and never starts."""
    store.submit("run", "r-1", {})
    assert store.request_cancel("r-1").state is JobState.CANCELLED
    assert store.claim() is None


def test_running_job_is_asked_to_stop(store: JobStore) -> None:
    """It goes on until its handler sees the wish."""
    store.submit("run", "r-1", {})
    store.claim()
    assert not store.cancel_requested("r-1")
    assert store.request_cancel("r-1").state is JobState.RUNNING
    assert store.cancel_requested("r-1")


def test_final_job_cannot_be_cancelled(store: JobStore) -> None:
    """There is nothing to stop."""
    store.submit("run", "r-1", {})
    store.finish("r-1", JobState.DONE)
    with pytest.raises(ConflictError, match="done already"):
        store.request_cancel("r-1")


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED, JobState.INCOMPLETE])
def test_unfinished_job_can_be_resumed(store: JobStore, state: JobState) -> None:
    """It is queued again, without its old error and without the old wish to stop."""
    store.submit("run", "r-1", {})
    store.claim()
    store.request_cancel("r-1")
    store.finish("r-1", state, error=ErrorBody(code="x", message="y"))
    resumed = store.resume("r-1")
    assert (resumed.state, resumed.error) == (JobState.QUEUED, None)
    assert not store.cancel_requested("r-1")
    claimed = store.claim()
    assert claimed is not None
    assert claimed.attempts == 2


@pytest.mark.parametrize("state", [JobState.DONE, JobState.RUNNING, JobState.QUEUED])
def test_other_job_cannot_be_resumed(store: JobStore, state: JobState) -> None:
    """Done is done, and what runs or waits needs no resuming."""
    store.submit("run", "r-1", {})
    if state is not JobState.QUEUED:
        store.claim()
    if state is JobState.DONE:
        store.finish("r-1", JobState.DONE)
    with pytest.raises(ConflictError, match="nothing to resume"):
        store.resume("r-1")


def test_unknown_job_is_not_found(store: JobStore) -> None:
    """Every way to name a job says so."""
    for ask in (store.get, store.request_cancel, store.resume):
        with pytest.raises(NotFoundError, match="no job"):
            ask("missing")
    assert not store.cancel_requested("missing")


def test_progress_and_result_are_kept(store: JobStore) -> None:
    """What a handler reports is what a reader finds, also of another kind's list."""
    store.submit("run", "r-1", {})
    store.submit("dataset", "d-1", {})
    store.progress("r-1", Progress(stage="train", done=3, total=9, figures={"loss": 0.5}))
    store.finish("r-1", JobState.DONE, result={"model_id": "m"})
    job = store.get("r-1")
    assert (job.progress.done, job.progress.figures, job.result) == (
        3,
        {"loss": 0.5},
        {"model_id": "m"},
    )
    assert [one.id for one in store.newest("dataset")] == ["d-1"]


def test_running_job_waits_again_after_the_process_died(tmp_path: Path) -> None:
    """A job survives its process, and counts its attempts."""
    first = JobStore(tmp_path)
    first.submit("run", "r-1", {})
    first.claim()
    first.close()
    second = JobStore(tmp_path)
    claimed = second.claim()
    second.close()
    assert claimed is not None
    assert (claimed.id, claimed.attempts) == ("r-1", 2)


def test_interrupted_job_goes_on_before_a_more_urgent_one(tmp_path: Path) -> None:
    """What it started may still be at work, and must not meet what another job starts."""
    first = JobStore(tmp_path)
    first.submit("run", "r-1", {})
    first.claim()
    first.submit("run", "r-2", {}, priority=9)
    first.close()
    second = JobStore(tmp_path)
    assert [job.id for job in second.waiting()] == ["r-1", "r-2"]
    second.claim()
    second.finish("r-1", JobState.FAILED)
    second.resume("r-1")
    assert [job.id for job in second.waiting()] == ["r-2", "r-1"]
    second.close()


def test_folder_belongs_to_one_process(tmp_path: Path, store: JobStore) -> None:
    """A second process is told what to do; the first is not disturbed."""
    store.submit("run", "r-1", {})
    with pytest.raises(ConflictError, match="another process") as caught:
        JobStore(tmp_path)
    assert "STATE_DIR" in str(caught.value.body.hint)
    assert store.get("r-1").state is JobState.QUEUED


def test_lock_is_given_back_by_kill_nine(tmp_path: Path) -> None:
    """A dead process keeps nothing: its folder and its job are there for the next one."""
    program = (
        "import sys, time; from pathlib import Path; from kit.jobs import JobStore\n"
        "store = JobStore(Path(sys.argv[1])); store.submit('run', 'r-1', {}); store.claim()\n"
        "sys.stdout.write('ready\\n'); sys.stdout.flush(); time.sleep(60)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, env=environment
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    with pytest.raises(ConflictError):
        JobStore(tmp_path)
    process.kill()
    process.wait()
    process.stdout.close()
    store = JobStore(tmp_path)
    assert store.get("r-1").state is JobState.QUEUED
    store.close()


def test_table_is_written_through(store: JobStore, tmp_path: Path) -> None:
    """An acknowledged job survives a power cut: WAL with a full sync at each commit."""
    store.submit("run", "r-1", {})
    with sqlite3.connect(tmp_path / "jobs.sqlite") as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert other.execute("SELECT id FROM jobs").fetchall() == [("r-1",)]
    other.close()
    assert store._database.execute("PRAGMA synchronous").fetchone() == (2,)
