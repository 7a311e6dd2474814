"""Jobs: long work that answers 202 with an id, survives restarts, and can be cancelled."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from contracts.errors import ErrorBody
from contracts.model import Recorded


class JobState(StrEnum):
    """Life of a job; the last four are final."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """Whether the job will not change again unless it is resumed."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


class Progress(Recorded):
    """How far a job is: `done` of `total` units of the named stage, and figures worth showing."""

    stage: str = ""
    done: int = 0
    total: int = 0
    figures: dict[str, float] = Field(default={}, description="loss, rate, rejected rows, ...")


class Job(Recorded):
    """A job as every service reports it; `id` is also the id of what the job makes."""

    id: str
    kind: str
    state: JobState
    request: dict[str, object]
    progress: Progress = Progress()
    attempts: int = 0
    priority: int = Field(default=0, description="higher ones start first")
    created_at: datetime
    updated_at: datetime
    error: ErrorBody | None = None
    result: dict[str, object] = {}
