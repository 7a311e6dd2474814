"""`tonesmith evaluate`: did the style take? Base against tuned, on held-out questions."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from client import DatagenClient
from contracts.evaluation import EvaluationReport, EvaluationRequest
from tonesmith.asking import checked
from tonesmith.commands.data import Key, Wait
from tonesmith.screen import columns
from tonesmith.session import AsJson, Session, session_of
from tonesmith.watch import started, watch

REPORTS = Path("var/reports")


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("evaluate")(evaluate)


def evaluate(
    context: typer.Context,
    dataset: Annotated[str, typer.Option(help="Dataset that the model was trained on.")],
    base: Annotated[str, typer.Option(help="Served name of the base.")] = "base",
    tuned: Annotated[str, typer.Option(help="Served name of the model.")] = "tonesmith",
    per_style: Annotated[int, typer.Option(help="Questions for each style.")] = 20,
    seed: Annotated[int, typer.Option(help="The same seed asks the same questions.")] = 7,
    key: Key = None,
    wait: Wait = True,
    as_json: AsJson = False,
) -> None:
    """Ask held-out questions and score the replies of base and model."""
    session = session_of(context)
    screen = session.show(as_json)
    request = checked(
        EvaluationRequest,
        dataset_id=dataset,
        base=base,
        tuned=tuned,
        per_style=per_style,
        seed=seed,
    )
    with session.datagen() as datagen:
        job = datagen.evaluate(request, key=key)
        if not wait:
            return started(job, screen)
        watch(datagen.evaluation_jobs, job, screen)
        report = datagen.evaluation(job.id)
        page = report_page(session, datagen, job.id)
    screen.result(report)
    screen.table(scores(report))
    screen.note(f"report: {page}")


def report_page(session: Session, datagen: DatagenClient, evaluation_id: str) -> str:
    """Return where a browser finds the report; what containers keep to themselves is saved here."""
    if not session.reach.address("datagen_url").relayed:
        return datagen.report_url(evaluation_id)
    path = REPORTS / f"{evaluation_id}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(datagen.report(evaluation_id), encoding="utf-8")
    return str(path)


def scores(report: EvaluationReport) -> Table:
    """Return the table of an evaluation."""
    table = columns("Did the style take?", "style", "replies", "base", "tuned", "on topic")
    for score in report.styles:
        table.add_row(
            score.id,
            str(score.replies),
            percent(score.base_accuracy),
            percent(score.tuned_accuracy),
            percent(score.on_topic),
        )
    base, tuned = report.contestants["base"], report.contestants["tuned"]
    table.add_section()
    replies = sum(score.replies for score in report.styles)
    table.add_row(
        "all",
        str(replies),
        percent(base.accuracy),
        percent(tuned.accuracy),
        percent(tuned.on_topic),
    )
    return table


def percent(ratio: float | None) -> str:
    """Return a ratio as a percentage for people."""
    return "-" if ratio is None else f"{ratio:.0%}"
