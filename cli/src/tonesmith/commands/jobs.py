"""`tonesmith job`: watch, cancel or resume long work of any kind by its id."""

from typing import Annotated

import typer

from client import DatagenClient, Jobs, ServiceError, TrainerClient
from contracts.job import Job
from kit.errors import NotFoundError
from tonesmith.screen import dense
from tonesmith.session import AsJson, Session, session_of
from tonesmith.watch import watch as watch_job

app = typer.Typer(help="List, watch, cancel or resume long work.", no_args_is_help=True)
JobId = Annotated[str, typer.Argument(help="Id of the job.", show_default=False)]


@app.command("list")
def list_jobs(context: typer.Context, as_json: AsJson = False) -> None:
    """List the jobs of all services, the newest first."""
    session = session_of(context)
    screen = session.show(as_json)
    with session.datagen() as datagen, session.trainer() as trainer:
        found = [job for kind in kinds(datagen, trainer) for job in kind.newest()]
    found.sort(key=lambda job: job.created_at, reverse=True)
    names = ("id", "kind", "state", "progress", "priority")
    table = dense("Jobs", *names, wraps="progress")
    for job in found:
        told = job.progress
        far = f"{told.stage} {told.done}/{told.total}"
        rank = f"{job.priority:+d}" if job.priority else "-"
        table.add_row(job.id, job.kind, job.state, far, rank)
    screen.result(found)
    screen.table(table)


@app.command()
def watch(context: typer.Context, job_id: JobId, as_json: AsJson = False) -> None:
    """Follow a job to its end."""
    session = session_of(context)
    screen = session.show(as_json)
    with session.datagen() as datagen, session.trainer() as trainer:
        jobs, job = find(kinds(datagen, trainer), job_id)
        screen.result(watch_job(jobs, job, screen), f"{job_id} is done")


@app.command()
def cancel(context: typer.Context, job_id: JobId, as_json: AsJson = False) -> None:
    """Ask a job to stop; what it has done so far is kept."""
    change(session_of(context), job_id, "cancel", as_json=as_json)


@app.command()
def resume(context: typer.Context, job_id: JobId, as_json: AsJson = False) -> None:
    """Queue a failed, cancelled or incomplete job again; it goes on where it was."""
    change(session_of(context), job_id, "resume", as_json=as_json)


def change(session: Session, job_id: str, verb: str, *, as_json: bool) -> None:
    """Cancel or resume a job and show its state."""
    screen = session.show(as_json)
    with session.datagen() as datagen, session.trainer() as trainer:
        jobs, _ = find(kinds(datagen, trainer), job_id)
        job = jobs.cancel(job_id) if verb == "cancel" else jobs.resume(job_id)
    screen.result(job, f"{job.id} is {job.state}")
    screen.next_step(f"tonesmith job watch {job.id}")


def kinds(datagen: DatagenClient, trainer: TrainerClient) -> list[Jobs]:
    """Return every kind of job."""
    return [
        datagen.questions.jobs,
        datagen.dataset_jobs,
        datagen.evaluation_jobs,
        trainer.run_jobs,
        trainer.promotion_jobs,
        trainer.export_jobs,
    ]


def find(kinds: list[Jobs], job_id: str) -> tuple[Jobs, Job]:
    """Return a job and where it lives. Raises NotFoundError."""
    for jobs in kinds:
        try:
            return jobs, jobs.get(job_id)
        except ServiceError as error:
            if error.status != 404:
                raise
    raise NotFoundError(
        f"there is no job {job_id[:80]!r}", field="job_id", hint="see `tonesmith job list`"
    )
