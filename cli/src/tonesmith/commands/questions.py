"""`tonesmith questions`: what people ask, written by the teacher or from a file; `coverage`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from contracts.job import JobState
from contracts.quality import Coverage
from contracts.question_set import QuestionImport, QuestionSetManifest, QuestionSetRequest
from tonesmith.asking import checked
from tonesmith.commands.data import Key, Wait
from tonesmith.offline import content
from tonesmith.screen import Screen, columns, dense
from tonesmith.session import AsJson, session_of
from tonesmith.watch import started, watch

app = typer.Typer(help="Question sets: what people ask, by emotion and area.", no_args_is_help=True)
HeldOut = Annotated[float, typer.Option("--heldout-ratio", help="Share that only evaluations ask.")]
SHOWN_EMPTY = 6
ENDS = frozenset({JobState.DONE, JobState.INCOMPLETE})


def add_to(root: typer.Typer) -> None:
    """Add the commands of this module."""
    root.add_typer(app, name="questions")
    root.command("coverage")(coverage)


@app.command("write")
def write(
    context: typer.Context,
    name: Annotated[str, typer.Option(help="Name of the set.")] = "questions",
    language: Annotated[
        list[str] | None, typer.Option("--language", help="zh, en; repeat it. Default: both.")
    ] = None,
    emotion: Annotated[
        list[str] | None, typer.Option("--emotion", help="Of the bank; repeat it. Default: all.")
    ] = None,
    area: Annotated[
        list[str] | None, typer.Option("--area", help="Of the bank; repeat it. Default: all.")
    ] = None,
    per_cell: Annotated[int, typer.Option(help="Questions of each emotion in each area.")] = 2,
    heldout_ratio: HeldOut = 0.125,
    seed: Annotated[int, typer.Option(help="The same seed asks the same people.")] = 7,
    key: Key = None,
    wait: Wait = True,
    as_json: AsJson = False,
) -> None:
    """Let the teacher write questions for every emotion in every area."""
    session = session_of(context)
    screen = session.show(as_json)
    request = checked(
        QuestionSetRequest,
        name=name,
        languages=language or ["zh", "en"],
        emotions=emotion or [],
        areas=area or [],
        per_cell=per_cell,
        heldout_ratio=heldout_ratio,
        seed=seed,
    )
    with session.datagen() as datagen:
        job = datagen.questions.write(request, key=key)
        if not wait:
            return started(job, screen)
        job = watch(datagen.questions.jobs, job, screen, accept=ENDS)
        manifest = datagen.questions.get(job.id)
    show_set(manifest, screen)


@app.command("import")
def import_questions(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="JSON Lines, CSV, or a question a line.")],
    name: Annotated[str, typer.Option(help="Name of the set.")] = "questions",
    form: Annotated[str, typer.Option(help="jsonl, csv, txt or auto.")] = "auto",
    heldout_ratio: HeldOut = 0.125,
    as_json: AsJson = False,
) -> None:
    """Bring questions of your own; emotion and area are optional columns."""
    session = session_of(context)
    screen = session.show(as_json)
    options = checked(QuestionImport, name=name, form=form, heldout_ratio=heldout_ratio)
    content(file, most=1)  # a file that cannot be read is told as ever
    with session.datagen() as datagen:
        manifest = datagen.questions.import_file(file, options)
    show_set(manifest, screen)


@app.command("list")
def list_sets(context: typer.Context, as_json: AsJson = False) -> None:
    """List the question sets, newest first."""
    session = session_of(context)
    screen = session.show(as_json)
    with session.datagen() as datagen:
        sets = datagen.questions.all()
    screen.result(sets)
    table = columns("Question sets", "id", "status", "train", "held out", "cells", "languages")
    for one in sets:
        rows = (str(one.rows.get(split, 0)) for split in ("train", "heldout"))
        table.add_row(one.id, one.status, *rows, str(one.cells), ", ".join(one.languages))
    screen.table(table)


@app.command("show")
def show(
    context: typer.Context,
    set_id: Annotated[str, typer.Argument(help="Id of the set.")],
    limit: Annotated[int, typer.Option(help="Questions to show.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Show a set's counts and its first questions."""
    session = session_of(context)
    screen = session.show(as_json)
    with session.datagen() as datagen:
        manifest = datagen.questions.get(set_id)
        rows = datagen.questions.questions(set_id, limit=limit)
    screen.result({"manifest": manifest, "questions": rows}, *set_lines(manifest))
    table = dense("", "area/emotion", "split", "question", wraps="question")
    for row in rows:
        table.add_row(row.situation_id or "-", row.split, escape(row.text))
    screen.table(table)


def coverage(
    context: typer.Context,
    dataset: Annotated[str, typer.Argument(help="Id of the dataset.")],
    as_json: AsJson = False,
) -> None:
    """Show how evenly a dataset's rows are spread over emotions and areas, and what is empty."""
    session = session_of(context)
    screen = session.show(as_json)
    with session.datagen() as datagen:
        found = datagen.coverage(dataset)
    screen.result(found)
    table = columns("Coverage", "style", "rows", "cells", "a cell", "even", "emotions", "areas")
    for style, own in found.balance.items():
        cells = own.cells
        table.add_row(
            style,
            str(own.rows),
            f"{cells.filled} of {cells.places}",
            f"{cells.least}-{cells.most}",
            f"{cells.evenness:.3f}",
            f"{own.emotions.least}-{own.emotions.most}",
            f"{own.areas.least}-{own.areas.most}",
        )
    screen.table(table)
    for line in remarks(found):
        screen.note(line)


def remarks(found: Coverage) -> list[str]:
    """Return what is empty and what is unknown, a line for each style."""
    lines = []
    for style, cells in found.empty.items():
        if cells:
            more = f" and {len(cells) - SHOWN_EMPTY} more" if len(cells) > SHOWN_EMPTY else ""
            lines.append(f"{style}: no row for {', '.join(cells[:SHOWN_EMPTY])}{more}")
    for style, rows in found.unknown.items():
        lines.append(f"{style}: {rows} rows without a known emotion and area")
    return lines


def show_set(manifest: QuestionSetManifest, screen: Screen) -> None:
    """Show what a set has and why the rest was refused."""
    screen.result(manifest, *set_lines(manifest))
    screen.next_step(f"tonesmith generate --questions {manifest.id}")


def set_lines(manifest: QuestionSetManifest) -> list[str]:
    """Return a set as lines of markup."""
    counts, rows = manifest.counts, manifest.rows
    return [
        f"[bold]{manifest.id}[/] {manifest.status}: {counts.accepted} of {counts.asked} questions, "
        f"{rows.get('train', 0)} to train on, {rows.get('heldout', 0)} held out",
        *(f"  rejected {reason}: {count}" for reason, count in sorted(counts.rejected.items())),
        *(f"  {cell}: {missing} missing" for cell, missing in manifest.short_cells.items()),
    ]
