"""`tonesmith stage`, `promote` and `rollback`: which model answers."""

from typing import Annotated

import typer

from contracts.artefact import CurrentModel
from tonesmith.commands.data import Key
from tonesmith.served import Reached, wait_for_serving
from tonesmith.session import AsJson, Session, session_of
from tonesmith.watch import watch

# vLLM may still be starting, for about a minute on two cores.
FOLLOW_SECONDS = 180.0
ModelId = Annotated[str, typer.Argument(help="Id of a published model.", show_default=False)]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("stage")(stage)
    app.command("promote")(promote)
    app.command("rollback")(rollback)


def stage(context: typer.Context, model: ModelId, as_json: AsJson = False) -> None:
    """Have serving load a model under a version of its own; its alias does not move."""
    session = session_of(context)
    screen = session.show(as_json)
    with session.trainer() as trainer:
        current = trainer.stage(model)
    served = served_name(current, model)
    follow(session, lambda status: served in status.loaded, served)
    screen.result(current, f"staged as [bold]{served}[/]")
    screen.next_step(f"tonesmith evaluate --dataset ID --tuned {served}")


def promote(
    context: typer.Context, model: ModelId, key: Key = None, as_json: AsJson = False
) -> None:
    """Let a model answer to its name, if it passes the gate again."""
    session = session_of(context)
    screen = session.show(as_json)
    with session.trainer() as trainer:
        job = trainer.promote(model, key=key)
        job = watch(trainer.promotion_jobs, job, screen)
    name, served = str(job.result.get("name")), str(job.result.get("served_name"))
    follow(session, lambda status: status.aliases.get(name) == served, served)
    screen.result(job, f"[bold]{name}[/] is now {served}")
    screen.next_step("tonesmith chat")


def rollback(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Served name.")] = "tonesmith",
    as_json: AsJson = False,
) -> None:
    """Let a name answer with the version that it had before."""
    session = session_of(context)
    screen = session.show(as_json)
    with session.trainer() as trainer:
        current = trainer.rollback(name)
    served = f"{name}.v{current.aliases.get(name)}"
    follow(session, lambda status: status.aliases.get(name) == served, served)
    screen.result(current, f"[bold]{name}[/] is now {served}")
    screen.next_step("tonesmith status")


def follow(session: Session, reached: Reached, served: str) -> None:
    """Wait until serving does what the trainer has written down; without serving, say so.

    Raises:
        NotServedError: serving refuses it, with the reason.
    """
    with session.launcher() as launcher:
        if not launcher.alive():
            session.screen.note(f"[yellow]serving does not answer:[/] {served} is loaded later")
            return
        with session.screen.err.status(f"serving follows: {served}"):
            wait_for_serving(launcher, reached, served, seconds=FOLLOW_SECONDS)


def served_name(current: CurrentModel, model_id: str) -> str:
    """Return the newest served name of a model, or its id where it has none."""
    names = [version.served_name for version in current.versions if version.model_id == model_id]
    return names[-1] if names else model_id
