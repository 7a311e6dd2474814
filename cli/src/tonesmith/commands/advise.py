"""`tonesmith advise`: how to train on a dataset, and whether its rows are enough."""

from typing import Annotated

import typer
from rich.markup import escape

from client import TrainerClient
from contracts.advice import Advice, AdviceRequest, RowsVerdict
from kit.errors import InvalidInputError
from tonesmith.advised import curve_requests, train_command
from tonesmith.asking import checked
from tonesmith.commands.train import Base, Dataset
from tonesmith.screen import Screen, columns, dense, facts
from tonesmith.session import AsJson, session_of
from tonesmith.watch import watch

GIB = 1 << 30
Card = Annotated[
    float | None, typer.Option(metavar="GB", help="Plan for a card of so many GB; default: ours.")
]
Curve = Annotated[
    bool, typer.Option("--curve", help="Train on 25, 50 and 100 % first: are the rows enough?")
]
VERDICTS = {"unknown": "not known", "enough": "enough", "more": "more would help"}


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("advise")(advise)


def advise(
    context: typer.Context,
    dataset: Dataset,
    base: Base = None,
    card: Card = None,
    curve: Curve = False,
    as_json: AsJson = False,
) -> None:
    """Say how to train on a dataset, with a reason for each choice."""
    session = session_of(context)
    screen = session.show(as_json)
    request = checked(
        AdviceRequest,
        dataset_id=dataset,
        base_model=base or session.settings.base_model,
        card_bytes=bytes_of(card),
    )
    with session.trainer() as trainer:
        advice = trainer.advise(request)
        if curve:
            walk(trainer, request, advice, screen)
            advice = trainer.advise(request)
    screen.result(advice)
    show(screen, advice)
    screen.next_step(train_command(request, advice))


def bytes_of(card: float | None) -> int | None:
    """Return the bytes of a card; its maker's GB are 2^30 bytes. Raises InvalidInputError."""
    if card is not None and not 1 <= card < float("inf"):
        raise InvalidInputError("a card has 1 GB or more", field="--card", hint="such as --card 24")
    return None if card is None else round(card * GIB)


def walk(trainer: TrainerClient, request: AdviceRequest, advice: Advice, screen: Screen) -> None:
    """Train on a growing part of the rows, one run after the other; no model is made.

    Raises:
        JobFailedError: one of the runs came to no good end; the others go on.
    """
    jobs = [trainer.train(each) for each in curve_requests(request, advice)]
    for number, job in enumerate(jobs, start=1):
        screen.note(f"[dim]run {number} of {len(jobs)}:[/] {job.id}")
        watch(trainer.run_jobs, job, screen)


def show(screen: Screen, advice: Advice) -> None:
    """Show the proposal, what to think of the rows, and what may go wrong."""
    table = columns("Proposal", "choice", "value", "why")
    for reason in advice.reasons:
        table.add_row(*(escape(text) for text in (reason.choice, reason.value, reason.why)))
    screen.table(table)
    if advice.rows.points:
        show_points(screen, advice.rows)
    enough = f"{VERDICTS[advice.rows.verdict]}: {advice.rows.why}"
    needed = advice.rows.rows_needed
    rows = [("rows", enough), ("needed", f"about {needed} rows in all" if needed else "")]
    told = [*rows, *(("warning", warning) for warning in advice.warnings)]
    screen.table(facts([(name, sentence) for name, sentence in told if sentence]))


def show_points(screen: Screen, rows: RowsVerdict) -> None:
    """Show the learning curve."""
    table = dense("Learning curve", "run", "rows", "held-out loss")
    for point in rows.points:
        table.add_row(point.run_id, str(point.rows), f"{point.eval_loss:.4f}")
    screen.table(table)
