"""`tonesmith review`: look at the rows of a dataset, decide, take back, publish what is left."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from client.reviews import Reviews
from contracts.review import (
    Review,
    ReviewChange,
    ReviewEdit,
    ReviewFilter,
    ReviewPage,
    ReviewPublication,
    ReviewQuery,
    ReviewRegeneration,
    ReviewResult,
)
from tonesmith.asking import checked, conditions
from tonesmith.commands.data import Wait
from tonesmith.commands.quality import DatasetId
from tonesmith.screen import Screen, dense
from tonesmith.session import AsJson, session_of
from tonesmith.watch import started, watch

app = typer.Typer(help="Review a dataset: rows, decisions, undo, the next version.")
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        help="Which rows, as style=tsundere, decision=open, reason=echo, text=…, rows=3,5, "
        "uncertain_from=0.5; repeat it, all hold. Default: every row.",
    ),
]
Note = Annotated[str | None, typer.Option(help="Why; kept with the rows.")]


@app.command("rows")
def rows(
    context: typer.Context,
    dataset: DatasetId,
    where: Where = None,
    offset: Annotated[int, typer.Option(help="Rows to skip.")] = 0,
    limit: Annotated[int, typer.Option(help="Rows to show.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show rows, the most uncertain first; opens the review where none is open."""
    session = session_of(context)
    screen = session.show(as_json)
    chosen = checked(ReviewFilter, **conditions(where)).model_dump(exclude_unset=True)
    query = checked(ReviewQuery, **chosen, offset=offset, limit=limit)
    with session.datagen() as datagen:
        review = datagen.review(dataset)
        opened = review.open()
        page = review.rows(query)
    screen.result(page, summary(opened))
    screen.table(listed(page))


@app.command("decide")
def decide(
    context: typer.Context,
    action: Annotated[str, typer.Argument(help="accept, reject, reopen or note.")],
    dataset: DatasetId,
    where: Where = None,
    note: Note = None,
    as_json: AsJson = False,
) -> None:
    """Accept, reject, reopen or annotate all rows that match, as one step."""
    session = session_of(context)
    screen = session.show(as_json)
    chosen = checked(ReviewFilter, **conditions(where))
    with session.datagen() as datagen:
        review = datagen.review(dataset)
        change = checked(
            ReviewChange,
            revision=review.open().revision,
            action=action,
            filter=chosen.model_dump(),
            note=note,
        )
        tell(screen, review.decide(change), action)


@app.command("edit")
def edit(
    context: typer.Context,
    dataset: DatasetId,
    row: Annotated[int, typer.Argument(help="Number of the row.")],
    reply: Annotated[str, typer.Option(help="What the row says instead.")],
    note: Note = None,
    force: Annotated[bool, typer.Option("--force", help="Though a gate refuses; say why.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give one row another reply; the gates look at it."""
    session = session_of(context)
    screen = session.show(as_json)
    with session.datagen() as datagen:
        review = datagen.review(dataset)
        revision = review.open().revision
        change = checked(ReviewEdit, revision=revision, reply=reply, note=note, force=force)
        tell(screen, review.edit(row, change), "edit")


@app.command("regenerate")
def regenerate(
    context: typer.Context,
    dataset: DatasetId,
    where: Where = None,
    attempts: Annotated[int, typer.Option(help="Tries for each row.")] = 3,
    wait: Wait = True,
    as_json: AsJson = False,
) -> None:
    """Ask the teacher for another reply to all rows that match."""
    session = session_of(context)
    screen = session.show(as_json)
    chosen = checked(ReviewFilter, **conditions(where))
    with session.datagen() as datagen:
        review = datagen.review(dataset)
        change = checked(
            ReviewRegeneration,
            revision=review.open().revision,
            filter=chosen.model_dump(),
            attempts=attempts,
        )
        job = review.regenerate(change)
        if not wait:
            return started(job, screen)
        job = watch(review.jobs, job, screen)
    done = job.result or {}
    refused = done.get("refused")
    left = refused if isinstance(refused, dict) else {}
    screen.result(
        job,
        f"{done.get('changed', 0)} rows have another reply",
        *(f"  left as it was, {reason}: {count}" for reason, count in left.items()),
    )
    return None


@app.command("undo")
def undo(
    context: typer.Context,
    dataset: DatasetId,
    steps: Annotated[int, typer.Option(help="How many of the newest steps.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Take the newest steps back, each as a whole."""
    session = session_of(context)
    screen = session.show(as_json)
    with session.datagen() as datagen:
        review = datagen.review(dataset)
        tell(screen, review.undo(review.show().revision, steps), "undo")


@app.command("publish")
def publish(
    context: typer.Context,
    dataset: DatasetId,
    name: Annotated[str | None, typer.Option(help="Name of the new version.")] = None,
    only_accepted: Annotated[
        bool, typer.Option("--only-accepted", help="Leave out what nobody decided.")
    ] = False,
    balance: Annotated[
        bool, typer.Option("--balance", help="As many rows of each style as of the rarest.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Publish the next version of the dataset."""
    session = session_of(context)
    screen = session.show(as_json)
    with session.datagen() as datagen:
        review = datagen.review(dataset)
        request = checked(
            ReviewPublication,
            revision=opened(review),
            name=name,
            only_accepted=only_accepted,
            balance=balance,
        )
        manifest = review.publish(request)
    screen.result(manifest, f"[bold]{manifest.id}[/]: {manifest.counts.accepted} rows")
    screen.next_step(f"tonesmith train --dataset {manifest.id}")


def opened(review: Reviews) -> int:
    """Return the revision of the review."""
    return review.open().revision


def tell(screen: Screen, result: ReviewResult, what: str) -> None:
    """Say what a change did."""
    screen.result(
        result,
        f"{what}: {result.changed} rows changed",
        *(f"  left as it was, {reason}: {count}" for reason, count in result.refused.items()),
        summary(result.review),
    )


def summary(review: Review) -> str:
    """Return the counts of a review in a line."""
    counts = review.counts
    return (
        f"[bold]{review.dataset_id}[/], revision {review.revision}: {counts.rows} rows, "
        f"{counts.open} open, {counts.accepted} accepted, {counts.rejected} rejected"
    )


def listed(page: ReviewPage) -> Table:
    """Return a page of rows as a table."""
    title = f"{len(page.rows)} of {page.total} rows"
    table = dense(title, "row", "style", "is", "reason", "reply", wraps="reply")
    for row in page.rows:
        reason = str(row.reason) if row.reason else "-"
        table.add_row(str(row.number), row.style, row.decision, reason, escape(row.reply))
    return table
