"""`tonesmith runs` and `tonesmith recipes`: what was trained, what waits, and with what."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from contracts.job import JobState
from contracts.run import RunRecord
from tonesmith.screen import dense, facts
from tonesmith.session import AsJson, session_of
from tonesmith.trained import details, headline

RunId = Annotated[str | None, typer.Argument(help="Id of one run.", show_default=False)]
COLOURS = {JobState.RUNNING: "yellow", JobState.DONE: "green", JobState.FAILED: "red"}


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("runs")(runs)
    app.command("recipes")(recipes)


def runs(context: typer.Context, run: RunId = None, as_json: AsJson = False) -> None:
    """List the training runs, and which of the waiting ones comes next; or show one."""
    session = session_of(context)
    screen = session.show(as_json)
    with session.trainer() as trainer:
        found = [trainer.run(run)] if run else trainer.runs()
    if run:
        screen.result(found[0], headline(found[0]))
        screen.table(facts(details(found[0])))
        return
    screen.result(found)
    screen.table(overview(found))


def overview(found: list[RunRecord]) -> Table:
    """Return the table of the runs: the queue in its order, then the others as they come."""
    queue = in_order(found)
    places = {run.id: place for place, run in enumerate(queue, start=1)}
    names = ("run", "state", "step", "loss", "held-out", "priority")
    table = dense("Runs", *names, wraps="state")
    for run in [*queue, *(run for run in found if run.id not in places)]:
        colour = COLOURS.get(run.state, "default")
        table.add_row(
            run.id,
            f"[{colour}]{escape(state_of(run, places))}[/]",
            f"{run.step}/{run.max_steps}" if run.max_steps else "-",
            figure(run.loss),
            figure(run.eval_loss),
            f"{run.request.priority:+d}" if run.request.priority else "-",
        )
    return table


def in_order(found: list[RunRecord]) -> list[RunRecord]:
    """Return the waiting runs in the order in which they start.

    The trainer says each one's place; without it, priority comes first, then age.
    """
    waiting = [run for run in found if run.state is JobState.QUEUED]
    waiting.sort(key=lambda run: (-run.request.priority, run.created_at))
    return sorted(waiting, key=lambda run: run.queue_place or 0)


def state_of(run: RunRecord, places: dict[str, int]) -> str:
    """Return a run's state, with its place in the queue or why it ended early."""
    if run.id in places:
        return f"queued, {places[run.id]} of {len(places)}"
    if run.state is JobState.FAILED and run.error:
        return f"failed: {run.error.code}"
    return f"{run.state}: {run.stop.reason}" if run.stop else str(run.state)


def figure(loss: float | None) -> str:
    """Return a loss for a table."""
    return "-" if loss is None else f"{loss:.3f}"


def recipes(context: typer.Context, as_json: AsJson = False) -> None:
    """List the recipes: when to use each, what it needs, and what it gives."""
    session = session_of(context)
    screen = session.show(as_json)
    with session.trainer() as trainer:
        found = trainer.recipes()
    screen.result(found)
    for recipe in found:
        if not as_json:
            screen.out.print(f"[bold]{escape(str(recipe.get('name')))}[/]")
        told = [(name, str(recipe.get(name, ""))) for name in ("summary", "when", "needs", "gives")]
        screen.table(facts([(f"  {name}", sentence) for name, sentence in told if sentence]))
