"""What launcher and trainer say while a training run has the GPU."""

from contracts.identity import now
from contracts.job import Job, JobState, Progress
from contracts.lease import Lease


def lease(holder: str) -> Lease | None:
    """Return the lease of the run `holder`; none without one."""
    if not holder:
        return None
    return Lease(id="l-1", holder=holder, state="granted", expires_at=now(), ttl_seconds=30.0)


def run_job(run_id: str, progress: Progress) -> Job:
    """Return the job of that run."""
    return Job(
        id=run_id,
        kind="run",
        state=JobState.RUNNING,
        request={},
        progress=progress,
        created_at=now(),
        updated_at=now(),
    )
