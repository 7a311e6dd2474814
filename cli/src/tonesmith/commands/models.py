"""`tonesmith stage`, `promote` and `rollback`: which model answers."""

from typing import Annotated

import typer

from contracts.artefact import CurrentModel
from tonesmith.commands.data import Key
from tonesmith.session import AsJson, session_of
from tonesmith.watch import watch

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
    result = job.result
    screen.result(job, f"[bold]{result.get('name')}[/] is now {result.get('served_name')}")
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
    screen.result(current, f"[bold]{name}[/] is now version {current.aliases.get(name)}")
    screen.next_step("tonesmith status")


def served_name(current: CurrentModel, model_id: str) -> str:
    """Return the newest served name of a model, or its id where it has none."""
    names = [version.served_name for version in current.versions if version.model_id == model_id]
    return names[-1] if names else model_id
