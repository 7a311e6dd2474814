"""How fast a generation is, from what its job told lately (pure but for what it remembers)."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import datetime

from contracts.job import Job, JobState

# What is remembered: of each job the last few minutes, as the page was told.
JOBS_KEPT, POINTS_KEPT = 20, 60
# A pace from less is chance.
LEAST_SECONDS = 3.0
GENERATE = "generate"


@dataclass
class Pace:
    """Remembers how far jobs were, and when."""

    known: OrderedDict[str, deque[tuple[datetime, int]]] = field(default_factory=OrderedDict)

    def note(self, job: Job) -> None:
        """Remember how far a job is; one that stands still, or begins again, has no past."""
        if job.state is not JobState.RUNNING or job.progress.stage != GENERATE:
            self.known.pop(job.id, None)
            return
        points = self.known.setdefault(job.id, deque(maxlen=POINTS_KEPT))
        point = (job.updated_at, job.progress.done)
        if points and point[1] < points[-1][1]:
            points.clear()
        if not points or point[0] > points[-1][0]:
            points.append(point)
        self.known.move_to_end(job.id)
        while len(self.known) > JOBS_KEPT:
            self.known.popitem(last=False)

    def rows_per_second(self, job: Job) -> float | None:
        """Return the pace of a job; None where it does not go on, or is not known yet."""
        points = self.known.get(job.id)
        if not points:
            return None
        first = points[0]
        if len(points) == 1 and job.attempts <= 1:
            first = (job.created_at, 0)  # nobody looked before: all of it, with its wait
        seconds = (points[-1][0] - first[0]).total_seconds()
        rows = points[-1][1] - first[1]
        return rows / seconds if seconds >= LEAST_SECONDS and rows > 0 else None

    def seconds_left(self, job: Job) -> float | None:
        """Return how long the missing rows take at that pace."""
        pace = self.rows_per_second(job)
        left = max(job.progress.total - job.progress.done, 0)
        return left / pace if pace else None
