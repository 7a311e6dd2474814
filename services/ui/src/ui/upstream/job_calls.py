"""The jobs under one prefix of a service, as every service has them."""

from dataclasses import dataclass
from urllib.parse import quote

from contracts.job import Job
from ui.upstream.calls import QUICK_SECONDS, Calls


@dataclass(frozen=True)
class JobCalls:
    """Jobs at `<prefix>/jobs`; every call raises ProblemError."""

    calls: Calls
    prefix: str

    async def newest(self, seconds: float = QUICK_SECONDS) -> list[Job]:
        """Return the latest jobs with how far each is, the newest first."""
        return await self.calls.get(f"{self.prefix}/jobs", list[Job], seconds=seconds)

    async def get(self, job_id: str, seconds: float = QUICK_SECONDS) -> Job:
        """Return one job."""
        return await self.calls.get(self.path(job_id), Job, seconds=seconds)

    async def cancel(self, job_id: str) -> Job:
        """Ask a job to stop; one that waits is cancelled at once."""
        return await self.calls.send("POST", f"{self.path(job_id)}/cancel", Job)

    async def resume(self, job_id: str) -> Job:
        """Queue a failed, cancelled or incomplete job again; it goes on where it was."""
        return await self.calls.send("POST", f"{self.path(job_id)}/resume", Job)

    def path(self, job_id: str) -> str:
        """Return the path of a job; an id may come from a browser."""
        return f"{self.prefix}/jobs/{quote(job_id, safe='')}"
