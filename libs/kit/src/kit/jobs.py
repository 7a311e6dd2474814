"""Durable jobs: one SQLite table in a service's own state folder, and the worker that runs them.

The folder is locked by its process (flock): the kernel gives the lock back when the process
dies, so a lease can neither be stolen by a clock nor outlive its holder. See docs/adr/0007.
"""

import fcntl
import json
import sqlite3
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

from contracts.errors import ErrorBody
from contracts.identity import now
from contracts.job import Job, JobState, Progress
from kit.errors import ConflictError, NotFoundError

SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, state TEXT NOT NULL, request TEXT NOT NULL,
    progress TEXT NOT NULL, attempts INTEGER NOT NULL, created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL, error TEXT, result TEXT NOT NULL,
    cancel_requested INTEGER NOT NULL DEFAULT 0, idempotency_key TEXT UNIQUE,
    priority INTEGER NOT NULL DEFAULT 0, interrupted INTEGER NOT NULL DEFAULT 0)
"""
# Columns that tables of earlier versions lack, and what their rows get.
LATER_COLUMNS = {
    "priority": "INTEGER NOT NULL DEFAULT 0",
    "interrupted": "INTEGER NOT NULL DEFAULT 0",
}
COLUMNS = (
    "id, kind, state, request, progress, attempts, created_at, updated_at, error, result, priority"
)
RESUMABLE = (JobState.FAILED, JobState.CANCELLED, JobState.INCOMPLETE)


class JobStore:
    """The jobs of one service.

    Args:
        folder: the service's own state folder, on a local disk.

    Raises:
        ConflictError: another process holds the folder.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock_file = (folder / "lock").open("a")
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock_file.close()
            raise ConflictError(
                "another process of this service uses the state folder",
                hint="stop it first, or give this one a STATE_DIR of its own",
            ) from error
        self._database = sqlite3.connect(folder / "jobs.sqlite", check_same_thread=False)
        self._guard = threading.Lock()
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", SCHEMA):
            self._database.execute(statement)
        self._add_later_columns()
        self._requeue_orphans()

    def _add_later_columns(self) -> None:
        """Give a table of an earlier version the columns that it lacks."""
        with self._guard, self._database:
            found = {row[1] for row in self._database.execute("PRAGMA table_info(jobs)")}
            for name, kind in LATER_COLUMNS.items():
                if name not in found:
                    self._database.execute(f"ALTER TABLE jobs ADD COLUMN {name} {kind}")

    def _requeue_orphans(self) -> None:
        """A job that was running when the process died waits again; its handler resumes it.

        It goes on before all others: what it started may still be at work.
        """
        change = "UPDATE jobs SET state='queued', interrupted=1 WHERE state='running'"
        with self._guard, self._database:
            self._database.execute(change)

    def submit(
        self,
        kind: str,
        job_id: str,
        request: dict[str, Any],
        key: str | None = None,
        *,
        priority: int = 0,
    ) -> Job:
        """Queue a job; the same idempotency `key` again returns the first job of that kind.

        A job of higher `priority` starts before those of lower ones. Raises ConflictError where
        the key came with another request, or the id is taken.
        """
        at, own = now().isoformat(), f"{kind}:{key}" if key else None
        row = (job_id, kind, "queued", json.dumps(request), "{}", 0, at, at, None, "{}", priority)
        names = f"{COLUMNS}, idempotency_key"
        marks = ",".join("?" * (len(row) + 1))
        try:
            with self._guard, self._database:
                self._database.execute(f"INSERT INTO jobs ({names}) VALUES ({marks})", (*row, own))
        except sqlite3.IntegrityError as error:
            found = self._one("idempotency_key=?", own) if own else None
            if found is None:
                raise ConflictError(f"there is a job {job_id[:80]!r} already") from error
            if found.request != request:
                raise ConflictError(
                    "the idempotency key was used for another request",
                    field="Idempotency-Key",
                    hint="use a new key for a new request",
                ) from error
            return found
        return self.get(job_id)

    def get(self, job_id: str) -> Job:
        """Return a job. Raises NotFoundError."""
        if not (job := self._one("id=?", job_id)):
            raise NotFoundError(f"there is no job {job_id[:80]!r}", field="id")
        return job

    def newest(self, kind: str | None = None, limit: int = 200) -> list[Job]:
        """Return the newest jobs first, of one kind or of all."""
        where, values = ("kind=?", (kind,)) if kind else ("1=1", ())
        return self._many(f"{where} ORDER BY created_at DESC, rowid DESC LIMIT {limit:d}", values)

    def waiting(self, limit: int = 200) -> list[Job]:
        """Return the queued jobs in the order in which they will start.

        What was interrupted goes on first; then comes the highest priority, and of one priority
        the job that has waited longest.
        """
        order = "ORDER BY interrupted DESC, priority DESC, created_at, rowid"
        return self._many(f"state='queued' {order} LIMIT {limit:d}", ())

    def claim(self) -> Job | None:
        """Take the next of `waiting`, mark it running, and return it."""
        queued = self.waiting(limit=1)
        if not queued:
            return None
        job = queued[0]
        running = self._set(
            job.id,
            only_if=(JobState.QUEUED,),
            state=JobState.RUNNING,
            attempts=job.attempts + 1,
            interrupted=0,
        )
        return self.get(job.id) if running else None

    def progress(self, job_id: str, progress: Progress) -> None:
        """Record how far a job is."""
        self._set(job_id, progress=progress.model_dump_json())

    def finish(
        self,
        job_id: str,
        state: JobState,
        *,
        result: dict[str, Any] | None = None,
        error: ErrorBody | None = None,
    ) -> None:
        """Record the final state of a job."""
        self._set(
            job_id,
            state=state,
            result=json.dumps(result or {}),
            error=error.model_dump_json() if error else None,
        )

    def request_cancel(self, job_id: str) -> Job:
        """Ask a job to stop; one that has not started is cancelled at once."""
        job = self.get(job_id)
        if not (
            self._set(job_id, only_if=(JobState.QUEUED,), state=JobState.CANCELLED)
            or self._set(job_id, only_if=(JobState.RUNNING,), cancel_requested=1)
        ):
            raise ConflictError(f"the job is {job.state} already")
        return self.get(job_id)

    def cancel_requested(self, job_id: str) -> bool:
        """Return whether somebody asked the job to stop."""
        with self._guard:
            query = "SELECT cancel_requested FROM jobs WHERE id=?"
            row = self._database.execute(query, (job_id,)).fetchone()
        return bool(row and row[0])

    def resume(self, job_id: str) -> Job:
        """Queue a failed, cancelled or incomplete job again; its handler goes on where it was."""
        job = self.get(job_id)
        if not self._set(
            job_id, only_if=RESUMABLE, state=JobState.QUEUED, cancel_requested=0, error=None
        ):
            raise ConflictError(f"the job is {job.state}: nothing to resume")
        return self.get(job_id)

    def close(self) -> None:
        """Close the table and give the folder back."""
        self._database.close()
        self._lock_file.close()

    def _set(
        self, job_id: str, *, only_if: tuple[JobState, ...] = tuple(JobState), **values: Any
    ) -> bool:
        """Change a job in one step if it is in one of the states `only_if`; return whether."""
        names = ", ".join(f"{name}=?" for name in values)
        states = ",".join("?" * len(only_if))
        with self._guard, self._database:
            changed = self._database.execute(
                f"UPDATE jobs SET {names}, updated_at=? WHERE id=? AND state IN ({states})",
                (*values.values(), now().isoformat(), job_id, *only_if),
            )
        return changed.rowcount == 1

    def _one(self, where: str, value: str) -> Job | None:
        rows = self._many(where, (value,))
        return rows[0] if rows else None

    def _many(self, where: str, values: tuple[Any, ...]) -> list[Job]:
        with self._guard:
            query = f"SELECT {COLUMNS} FROM jobs WHERE {where}"
            rows = self._database.execute(query, values).fetchall()
        return [job_from_row(row) for row in rows]


def job_from_row(row: tuple[Any, ...]) -> Job:
    """Return the job of a row with COLUMNS."""
    job_id, kind, state, request, progress, attempts, created, updated, error, result, rank = row
    return Job(
        id=job_id,
        kind=kind,
        state=JobState(state),
        request=json.loads(request),
        progress=Progress.model_validate_json(progress),
        attempts=attempts,
        created_at=datetime.fromisoformat(created),
        updated_at=datetime.fromisoformat(updated),
        error=ErrorBody.model_validate_json(error) if error else None,
        result=json.loads(result),
        priority=rank,
    )
