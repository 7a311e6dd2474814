"""Jobs of one kind: list, show, cancel, resume, and follow to the end."""

import time
from collections.abc import Iterator

from client.errors import ServiceDownError
from client.service import Clock, Service, Sleep
from contracts.job import Job

# A stream that is silent for longer may be dead: look again. Jobs report about twice a second,
# but a model that is loading says nothing for a while.
QUIET_SECONDS = 15.0
# How long a service may be away (it restarts, the job goes on) before we give up.
PATIENCE_SECONDS = 60.0
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 3.0


class Jobs:
    """The jobs under one prefix of a service.

    Args:
        service: where they live.
        prefix: such as `/datasets`.
        clock: monotonic seconds.
        sleep: waits for seconds.
    """

    def __init__(
        self,
        service: Service,
        prefix: str,
        *,
        clock: Clock = time.monotonic,
        sleep: Sleep = time.sleep,
    ) -> None:
        self._service = service
        self._prefix = f"{prefix}/jobs"
        self._clock = clock
        self._sleep = sleep

    def newest(self) -> list[Job]:
        """Return the jobs, the newest first."""
        return self._service.get(self._prefix, list[Job])

    def get(self, job_id: str) -> Job:
        """Return a job. Raises ServiceError (404)."""
        return self._service.get(f"{self._prefix}/{job_id}", Job)

    def cancel(self, job_id: str) -> Job:
        """Ask a job to stop."""
        return self._service.post(f"{self._prefix}/{job_id}/cancel", Job)

    def resume(self, job_id: str) -> Job:
        """Queue a failed, cancelled or incomplete job again."""
        return self._service.post(f"{self._prefix}/{job_id}/resume", Job)

    def wait(self, job_id: str, *, patience: float = PATIENCE_SECONDS) -> Job:
        """Return the job once it is final."""
        last = None
        for job in self.follow(job_id, patience=patience):
            last = job
        assert last is not None  # `follow` ends with a final job, or raises
        return last

    def follow(self, job_id: str, *, patience: float = PATIENCE_SECONDS) -> Iterator[Job]:
        """Yield the job at each change, the last time when it is final.

        A broken stream is opened again, after a pause that grows; a service that stays away for
        `patience` seconds is given up.

        Raises:
            ServiceError: there is no such job.
            ServiceDownError: the service stayed away.
        """
        heard, pause = self._clock(), FIRST_PAUSE_SECONDS
        last: Job | None = None
        while True:
            try:
                for job in self._changes(job_id):
                    heard, pause = self._clock(), FIRST_PAUSE_SECONDS
                    if job != last:
                        yield job
                    last = job
                    if job.state.final:
                        return
            except ServiceDownError:
                if self._clock() - heard > patience:
                    raise
            self._sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _changes(self, job_id: str) -> Iterator[Job]:
        """Yield the job now, then each event of one stream."""
        yield self.get(job_id)
        path = f"{self._prefix}/{job_id}/events"
        for data in self._service.events("GET", path, quiet_seconds=QUIET_SECONDS):
            yield Job.model_validate_json(data)
