"""`tonesmith train`: from a dataset to a published model."""

from typing import Annotated

import typer

from client import TrainerClient
from contracts.run import Overrides, RunRequest
from tonesmith.asking import checked
from tonesmith.commands.data import Key, Wait
from tonesmith.session import AsJson, session_of
from tonesmith.watch import started, watch

Steps = Annotated[int | None, typer.Option("--steps", help="Stop after so many steps.")]


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("train")(train)


def train(
    context: typer.Context,
    dataset: Annotated[str, typer.Option(help="Id of a published dataset.")],
    name: Annotated[str, typer.Option(help="Name of the model.")] = "tonesmith",
    base: Annotated[str | None, typer.Option(help="Base model; default BASE_MODEL.")] = None,
    recipe: Annotated[str, typer.Option(help="Recipe.")] = "lora",
    steps: Steps = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the run.")] = None,
    key: Key = None,
    wait: Wait = True,
    as_json: AsJson = False,
) -> None:
    """Train a model on a dataset, check it and publish it."""
    session = session_of(context)
    screen = session.show(as_json)
    request = checked(
        RunRequest,
        name=name,
        dataset_id=dataset,
        base_model=base or session.settings.base_model,
        recipe=recipe,
        overrides=checked(Overrides, max_steps=steps, seed=seed),
    )
    with session.trainer() as trainer:
        job = trainer.train(request, key=key)
        if not wait:
            return started(job, screen)
        watch(trainer.run_jobs, job, screen)
        run = trainer.run(job.id)
    screen.result(
        run,
        f"[bold]{run.model_id}[/] after {run.step} steps: loss {shown(run.loss)}, "
        f"held-out loss {shown(run.eval_loss)}",
    )
    screen.next_step(f"tonesmith stage {run.model_id}")


def shown(loss: float | None) -> str:
    """Return a loss for people."""
    return "unknown" if loss is None else f"{loss:.4f}"


def newest_model(trainer: TrainerClient, name: str) -> str | None:
    """Return the id of the newest published model of a name, or None."""
    models = [model for model in trainer.models() if model.name == name]
    return max(models, key=lambda model: model.created_at).id if models else None
