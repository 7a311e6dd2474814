"""Follow a job to its end, with a progress bar."""

from collections.abc import Callable

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column

from client import Jobs
from contracts.job import Job, JobState
from tonesmith.errors import JobFailedError
from tonesmith.pace import Pace
from tonesmith.screen import Screen
from tonesmith.trained import going_on

FIGURES_SHOWN = 4
# What is left of 80 columns holds two losses and the time that a run may still take.
BAR_WIDTH = 10


def bars(console: Console) -> Progress:
    """Return the progress display that every command uses."""
    # The note takes what room is left, and is cut first.
    rest = Column(ratio=1, no_wrap=True, overflow="ellipsis")
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", table_column=Column(no_wrap=True)),
        BarColumn(bar_width=BAR_WIDTH),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[note]}", table_column=rest),
        console=console,
        expand=True,
    )


def watch(
    jobs: Jobs,
    job: Job,
    screen: Screen,
    *,
    accept: frozenset[JobState] = frozenset({JobState.DONE}),
) -> Job:
    """Show a job until it is final, and return it.

    Args:
        jobs: where it lives.
        job: as it was submitted.
        accept: final states that count as a result.

    Raises:
        JobFailedError: it ended in another state.
        ServiceError, ServiceDownError: it cannot be followed.
    """
    with bars(screen.err) as progress:
        task, pace = progress.add_task(job.kind, total=None, note=""), Pace()
        final = follow(jobs, job.id, lambda now: show(progress, task, now, pace))
    if final.state not in accept:
        raise JobFailedError(final)
    return final


def started(job: Job, screen: Screen) -> None:
    """Show a job that nobody waits for, and how to look at it later."""
    screen.result(job, f"started {job.id}")
    screen.next_step(f"tonesmith job watch {job.id}")


def follow(jobs: Jobs, job_id: str, each: Callable[[Job], None]) -> Job:
    """Call `each` at every change of a job; return it once it is final."""
    last = None
    for last in jobs.follow(job_id):
        each(last)
    assert last is not None  # `follow` ends with a final job, or raises
    return last


def show(progress: Progress, task: TaskID, job: Job, pace: Pace | None = None) -> None:
    """Bring the bar of a job up to date; `pace` knows how long a training run may still take."""
    told = job.progress
    left = pace.seconds_left(told) if pace else None
    progress.update(
        task,
        description=f"{job.kind}: {escape(told.stage or job.state)}",
        completed=told.done,
        total=told.total or None,
        note=escape(note_of(job, left)),
    )


def note_of(job: Job, seconds_left: float | None = None) -> str:
    """Return what is worth saying of a job in the rest of a line."""
    told = job.progress
    return going_on(told, seconds_left) if job.kind == "run" else figures(told.figures)


def figures(values: dict[str, float]) -> str:
    """Return the first few figures of a job in one line."""
    shown = list(values.items())[:FIGURES_SHOWN]
    return "  ".join(f"{name} {value:.4g}" for name, value in shown)
