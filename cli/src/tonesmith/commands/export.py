"""`tonesmith export`: a published model as a folder that another program reads."""

from pathlib import Path
from typing import Annotated

import typer
from rich.filesize import decimal
from rich.markup import escape

from contracts.export import ExportRequest
from tonesmith.asking import checked
from tonesmith.commands.data import Key
from tonesmith.commands.models import ModelId
from tonesmith.exported import fetch, free_folder, serve_command
from tonesmith.session import AsJson, session_of
from tonesmith.watch import watch

Form = Annotated[
    str, typer.Option(metavar="adapter|merged|int8", help="16 bits, apart or merged; or 8 bits.")
]
To = Annotated[Path | None, typer.Option(help="New folder; default: MODEL-FORM here.")]


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("export")(export)


def export(
    context: typer.Context,
    model: ModelId,
    form: Form = "merged",
    to: To = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Save a model in a folder, its files compared with the manifest, and say how to serve it."""
    session = session_of(context)
    screen = session.show(as_json)
    request = checked(ExportRequest, form=form)
    folder = free_folder(to or Path(f"{model}-{form}"))
    with session.trainer() as trainer:
        manifest = trainer.model(model)
        job = trainer.export(manifest.id, request, key=key)
        job = watch(trainer.export_jobs, job, screen)
        export_id = str(job.result["export_id"])
        with screen.err.status(f"saving {export_id}"):
            size = fetch(trainer, export_id, folder)
    command = serve_command(manifest, request.form, folder, session.settings.models_dir)
    screen.result(
        {"model_id": manifest.id, "form": form, "folder": str(folder), "serve": command},
        f"[bold]{escape(str(folder))}[/]: {decimal(size)}, every file as the manifest says",
    )
    screen.next_step(command)
