"""`tonesmith evaluate`: did the style take, and better than a prompt? On held-out questions."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from client import DatagenClient
from contracts.evaluation import EvaluationReport, EvaluationRequest
from contracts.proof import Figure, Reason
from tonesmith.asking import checked
from tonesmith.commands.data import Key, Wait
from tonesmith.screen import Screen, columns
from tonesmith.session import AsJson, Session, session_of
from tonesmith.watch import started, watch

REPORTS = Path("var/reports")
REASONS = {
    Reason.UNTRUSTED_JUDGE: "the classifier itself mixes the styles up",
    Reason.BELOW_BASE: "it speaks in the style less than the base does",
    Reason.NO_BETTER_THAN_BASE: "no gain over the base that chance could not have made",
    Reason.WRONG_STYLE: "it speaks in other styles than the asked ones",
    Reason.BROKEN_REPLIES: "its replies are broken: empty, cut off, echoes or loops",
    Reason.WEAK_STYLE: "too few replies are recognised as the asked style",
    Reason.NO_BETTER_THAN_PROMPT: "a prompt does as well",
    Reason.OFF_TOPIC: "its advice misses the question more often than the base's",
    Reason.FADES: "the style weakens from turn to turn of a conversation",
    Reason.FORGOT: "it forgot what the base can do",
}


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("evaluate")(evaluate)


Dataset = Annotated[str, typer.Option(help="Dataset that the model was trained on.")]
Base = Annotated[str, typer.Option(help="Served name of the base.")]
Tuned = Annotated[str, typer.Option(help="Served name of the model.")]
PerStyle = Annotated[int, typer.Option(help="Questions for each style.")]
Seed = Annotated[int, typer.Option(help="The same seed asks the same questions.")]
Further = Annotated[
    list[str] | None, typer.Option(help="Served name of a further model; repeat for more.")
]
Turns = Annotated[int, typer.Option(help="Turns of the conversations; 1: none.")]
Prompted = Annotated[bool, typer.Option(help="Also ask the base with the best style prompt.")]
Probe = Annotated[bool, typer.Option(help="Also ask what the model may have forgotten.")]
JudgeToo = Annotated[bool, typer.Option(help="Also have a language model compare replies.")]


def evaluate(
    context: typer.Context,
    dataset: Dataset,
    base: Base = "base",
    tuned: Tuned = "tonesmith",
    per_style: PerStyle = 20,
    seed: Seed = 7,
    model: Further = None,
    turns: Turns = 3,
    prompted: Prompted = True,
    probe: Probe = True,
    judge: JudgeToo = False,
    key: Key = None,
    wait: Wait = True,
    as_json: AsJson = False,
) -> None:
    """Ask held-out questions; rank base, base with the best style prompt, and tuned models."""
    session = session_of(context)
    screen = session.show(as_json)
    asked = {"per_style": per_style, "seed": seed, "models": model or [], "turns": turns}
    asked |= {"prompted": prompted, "probe": probe, "judge": judge}
    request = checked(EvaluationRequest, dataset_id=dataset, base=base, tuned=tuned, **asked)
    with session.datagen() as datagen:
        job = datagen.evaluate(request, key=key)
        if not wait:
            return started(job, screen)
        watch(datagen.evaluation_jobs, job, screen)
        report = datagen.evaluation(job.id)
        page = report_page(session, datagen, job.id)
    screen.result(report)
    show(screen, report)
    screen.note(f"report: {page}")


def show(screen: Screen, report: EvaluationReport) -> None:
    """Show the tables and what they say."""
    screen.table(scores(report))
    if report.ranking:
        screen.table(places(report))
    for told in findings(report):
        screen.note(told)


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


def places(report: EvaluationReport) -> Table:
    """Return the ranking by style strength, with 95 % intervals; equals share a place."""
    headings = ("place", "contestant", "style strength", "recognised", "on topic", "sound")
    table = columns("Who speaks in the style?", *headings)
    whole = {one.contestant: one for one in report.figures if not one.style}
    for rank in report.ranking:
        found = whole[rank.contestant]
        table.add_row(
            str(rank.place),
            rank.contestant,
            *map(interval, (found.strength, found.accuracy, found.on_topic, found.defect_free)),
        )
    return table


def findings(report: EvaluationReport) -> list[str]:
    """Return the verdict with its reasons, the drift and the probe, a line each."""
    why = "; ".join(REASONS[reason] for reason in report.reasons)
    told = [f"verdict: {report.verdict}" + (f" ({why})" if why else "")]
    told += [
        f"{one.contestant}, style strength by turn: "
        + ", ".join(percent(turn.value) for turn in one.turns)
        + f" ({one.verdict.replace('_', ' ')})"
        for one in report.drift
    ]
    if report.probe:
        scored = report.probe.scores
        right = ", ".join(f"{one.contestant} {percent(one.right.value)}" for one in scored)
        told.append(
            f"probe of {report.probe.items} items: {right} "
            f"({report.probe.verdict.replace('_', ' ')})"
        )
    if cut := [one.style for one in report.prompts if one.left_out]:
        told.append(f"style prompts cut to fit the context: {', '.join(cut)}")
    if untried := dict.fromkeys(form for one in report.prompts for form in one.untried):
        told.append(f"style prompt, forms that the server does not take: {', '.join(untried)}")
    return told


def interval(figure: Figure | None) -> str:
    """Return a share with its 95 % interval, for people."""
    if figure is None:
        return "-"
    low, high = figure.interval.low, figure.interval.high
    return f"{figure.value:.0%} ({low:.0%} to {high:.0%})"


def percent(ratio: float | None) -> str:
    """Return a ratio as a percentage for people."""
    return "-" if ratio is None else f"{ratio:.0%}"
