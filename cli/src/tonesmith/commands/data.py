"""`tonesmith generate` and `tonesmith import`: where training data comes from."""

from pathlib import Path
from typing import Annotated

import typer

from contracts.dataset import (
    BANK,
    Conditioning,
    DatasetManifest,
    DatasetRequest,
    ImportRequest,
    ImportResult,
)
from contracts.estimate import CostEstimate
from contracts.job import JobState
from tonesmith.asking import checked
from tonesmith.errors import BAD_INPUT
from tonesmith.offline import content, import_file
from tonesmith.screen import Screen
from tonesmith.session import AsJson, Session, session_of
from tonesmith.watch import started, watch

Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Follow the job to its end.")]
Key = Annotated[
    str | None, typer.Option("--key", help="Idempotency key: the same key starts nothing twice.")
]
Styles = Annotated[
    list[str] | None, typer.Option("--style", help="Style id; repeat it. Default: all.")
]
Questions = Annotated[str, typer.Option(help="A question set's id; bank: the shipped bank.")]
Turns = Annotated[int, typer.Option(help="Exchanges of a dialogue, 2 to 6.")]
TurnsLeast = Annotated[
    int | None, typer.Option(help="Dialogues from this many exchanges up to --turns, evenly.")
]
Estimate = Annotated[
    bool, typer.Option("--estimate", help="Only say what it would take, after a few calls.")
]
Conditioned = Annotated[
    Conditioning, typer.Option("--conditioning", help="How the model is told the style.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("generate")(generate)
    app.command("import")(import_data)


def generate(
    context: typer.Context,
    style: Styles = None,
    name: Annotated[str, typer.Option(help="Name of the dataset.")] = "styled",
    per_style: Annotated[int, typer.Option(help="Accepted rows for each style.")] = 100,
    multi_turn_ratio: Annotated[float, typer.Option(help="Share of dialogues, 0 to 1.")] = 0.2,
    turns: Turns = 2,
    turns_least: TurnsLeast = None,
    questions: Questions = BANK,
    conditioning: Conditioned = Conditioning.SYSTEM,
    seed: Annotated[int, typer.Option(help="The same seed asks the same questions.")] = 7,
    estimate: Estimate = False,
    key: Key = None,
    wait: Wait = True,
    as_json: AsJson = False,
) -> None:
    """Generate a dataset by quota and publish it."""
    request = checked(
        DatasetRequest,
        name=name,
        styles=style or [],
        per_style=per_style,
        multi_turn_ratio=multi_turn_ratio,
        turns=turns,
        turns_least=turns_least,
        questions=questions,
        conditioning=conditioning,
        seed=seed,
    )
    session = session_of(context)
    screen = session.show(as_json)
    if estimate:
        with session.datagen() as datagen:
            return show_estimate(datagen.estimate(request), screen)
    fill(session, request, screen, key=key, wait=wait)


def fill(
    session: Session, request: DatasetRequest, screen: Screen, *, key: str | None, wait: bool
) -> None:
    """Start a generation; with `wait` follow it to its end and show the dataset."""
    with session.datagen() as datagen:
        job = datagen.generate(request, key=key)
        if not wait:
            return started(job, screen)
        accept = frozenset({JobState.DONE, JobState.INCOMPLETE})
        job = watch(datagen.dataset_jobs, job, screen, accept=accept)
        manifest = datagen.dataset(job.id)
    show_dataset(manifest, screen)


def show_dataset(manifest: DatasetManifest, screen: Screen) -> None:
    """Show what was accepted and why the rest was not."""
    counts = manifest.counts
    screen.result(
        manifest,
        f"[bold]{manifest.id}[/] {manifest.status}: {counts.accepted} of {counts.asked} accepted",
        *(f"  rejected {reason}: {count}" for reason, count in sorted(counts.rejected.items())),
    )
    screen.next_step(f"tonesmith train --dataset {manifest.id}")


def show_estimate(found: CostEstimate, screen: Screen) -> None:
    """Show what a generation would take, and what that rests on."""
    costs = "costs unknown" if found.dollars is None else f"{found.dollars:.2f} dollars"
    left = "" if found.budget_left is None else f" of the {found.budget_left:.2f} that are left"
    screen.result(
        found,
        f"[bold]{found.rows}[/] rows: {found.calls} calls, {found.input_tokens} tokens in, "
        f"{found.output_tokens} out, {found.seconds / 60:.0f} minutes, {costs}{left}",
        *(f"  {line}" for line in found.assumptions),
    )


def import_data(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="JSON list: own rows, alpaca or messages.")],
    name: Annotated[str, typer.Option(help="Name of the dataset.")] = "imported",
    conditioning: Conditioned = Conditioning.SYSTEM,
    eval_ratio: Annotated[float, typer.Option(help="Share kept out of training.")] = 0.05,
    seed: Annotated[int, typer.Option(help="Decides which rows are kept out.")] = 7,
    as_json: AsJson = False,
) -> None:
    """Import existing dialogues; works with no service running.

    Where the services run in containers, datagen imports the file into their volume.
    """
    session = session_of(context)
    screen = session.show(as_json)
    request = checked(
        ImportRequest, name=name, conditioning=conditioning, eval_ratio=eval_ratio, seed=seed
    )
    result = publish(session, file, request)
    screen.result(
        result,
        f"[bold]{result.dataset_id or 'nothing'}[/]: {result.accepted} rows kept",
        *(f"  rejected {reason}: {count}" for reason, count in sorted(result.rejected.items())),
    )
    if result.dataset_id is None:
        screen.note("[bold red]error:[/] no row could be kept, nothing was written; a row")
        screen.note("needs a question, a reply, and a known style: `tonesmith styles list`")
        raise typer.Exit(BAD_INPUT)
    screen.next_step(f"tonesmith train --dataset {result.dataset_id}")


def publish(session: Session, file: Path, request: ImportRequest) -> ImportResult:
    """Publish the rows in `file` where the services will look for them."""
    if not session.reach.address("datagen_url").relayed:
        return import_file(file, session.settings.data_dir, request)
    content(file, most=1)  # a file that cannot be read is told as ever
    with session.datagen() as datagen:
        return datagen.import_file(file, request)
