"""`tonesmith train`: from a dataset to a published model."""

from typing import Annotated

import typer

from client import TrainerClient
from contracts.run import Overrides, RunRequest
from kit.errors import InvalidInputError
from tonesmith.asking import checked
from tonesmith.commands.data import Key, Wait
from tonesmith.screen import Screen, facts
from tonesmith.session import AsJson, session_of
from tonesmith.trained import details, headline
from tonesmith.watch import started, watch

Dataset = Annotated[str, typer.Option(help="Id of a published dataset.")]
Name = Annotated[str, typer.Option(help="Name of the model.")]
Base = Annotated[str | None, typer.Option(help="Base model; default BASE_MODEL.")]
Recipe = Annotated[str, typer.Option(help="Recipe; `tonesmith recipes` lists them.")]
Steps = Annotated[int | None, typer.Option("--steps", help="Stop after so many steps.")]
Epochs = Annotated[float | None, typer.Option(help="Times that each row is read.")]
Batching = Annotated[
    str | None,
    typer.Option(
        metavar="packed|grouped|plain", help="How rows share a batch; default: by their lengths."
    ),
]
Values = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Another value of the recipe; repeat it."),
]
Priority = Annotated[int, typer.Option(help="-10 to 10; higher runs start first.")]
Continues = Annotated[
    str | None, typer.Option("--continue", metavar="MODEL", help="Train its adapter on.")
]
StopWhenFlat = Annotated[
    bool, typer.Option("--stop/--no-stop", help="End where the loss goes flat or it overfits.")
]
ChooseBy = Annotated[
    str, typer.Option(metavar="eval_loss|style", help="What makes a checkpoint the best.")
]
Fraction = Annotated[float, typer.Option(help="Share of the rows, even over the styles.")]
Publish = Annotated[bool, typer.Option(help="With --no-publish no model is made.")]
Seed = Annotated[int | None, typer.Option(help="Seed of the run.")]


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("train")(train)


def train(
    context: typer.Context,
    dataset: Dataset,
    name: Name = "tonesmith",
    base: Base = None,
    recipe: Recipe = "lora",
    steps: Steps = None,
    epochs: Epochs = None,
    batching: Batching = None,
    values: Values = None,
    seed: Seed = None,
    priority: Priority = 0,
    continues: Continues = None,
    stop_when_flat: StopWhenFlat = True,
    choose_by: ChooseBy = "eval_loss",
    fraction: Fraction = 1.0,
    publish: Publish = True,
    key: Key = None,
    wait: Wait = True,
    as_json: AsJson = False,
) -> None:
    """Train a model on a dataset, check it and publish it."""
    session = session_of(context)
    request = checked(
        RunRequest,
        name=name,
        dataset_id=dataset,
        base_model=base or session.settings.base_model,
        recipe=recipe,
        overrides=overrides(values, steps, epochs, batching, seed),
        priority=priority,
        continues=continues,
        stop_when_flat=stop_when_flat,
        choose_by=choose_by,
        data_fraction=fraction,
        publish=publish,
    )
    with session.trainer() as trainer:
        run_to_the_end(trainer, request, session.show(as_json), key=key, wait=wait)


def overrides(
    values: list[str] | None,
    steps: int | None,
    epochs: float | None,
    batching: str | None,
    seed: int | None,
) -> Overrides:
    """Return what the options change of the recipe. Raises InvalidInputError that names one."""
    options = {
        "max_steps": steps,
        "num_train_epochs": epochs,
        "batching": batching,
        "seed": seed,
    }
    named = dict(assignment(value) for value in values or [])
    given = {option: value for option, value in options.items() if value is not None}
    return checked(Overrides, **named | given)


def assignment(text: str) -> tuple[str, str]:
    """Return name and value of `NAME=VALUE`. Raises InvalidInputError."""
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidInputError(
            f"{text[:80]!r} sets nothing", field="--set", hint="write it as NAME=VALUE"
        )
    return name.strip(), value.strip()


def run_to_the_end(
    trainer: TrainerClient, request: RunRequest, screen: Screen, *, key: str | None, wait: bool
) -> None:
    """Start a run and show what came out of it; without waiting, how to look at it later.

    Raises:
        JobFailedError: it came to no good end.
    """
    job = trainer.train(request, key=key)
    if not wait:
        return started(job, screen)
    watch(trainer.run_jobs, job, screen)
    run = trainer.run(job.id)
    screen.result(run, headline(run))
    screen.table(facts(details(run)))
    screen.next_step(f"tonesmith stage {run.model_id}" if run.model_id else "tonesmith runs")


def newest_model(trainer: TrainerClient, name: str) -> str | None:
    """Return the id of the newest published model of a name, or None."""
    models = [model for model in trainer.models() if model.name == name]
    return max(models, key=lambda model: model.created_at).id if models else None
