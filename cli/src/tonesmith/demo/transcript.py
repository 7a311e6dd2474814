"""What the demo shows at its end: questions with all replies, figures, times and addresses."""

from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from contracts.evaluation import EvaluationReport, Reply
from contracts.style import StyleVersion
from tonesmith.commands.evaluate import findings, places, scores
from tonesmith.demo.report import DemoReport
from tonesmith.doctor.finding import gigabytes
from tonesmith.screen import columns

# The question, and the reply of each contestant.
Exchange = tuple[str, dict[str, str]]
SHOWN = {"base": "[dim]base    [/]", "prompted": "[cyan]prompted[/]", "tuned": "[green]tuned[/]   "}


def exchanges(replies: Iterable[Reply]) -> dict[str, Exchange]:
    """Return for each style its first question that both base and tuned answered."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for reply in replies:
        found.setdefault((reply.style, reply.question), {})[reply.contestant] = reply.reply
    chosen: dict[str, Exchange] = {}
    for (style, question), by_contestant in found.items():
        if style not in chosen and {"base", "tuned"} <= set(by_contestant):
            chosen[style] = question, by_contestant
    return chosen


def show_transcript(
    console: Console, styles: Iterable[StyleVersion], replies: Iterable[Reply]
) -> None:
    """Show one held-out question of each style with the reply of each contestant."""
    chosen = exchanges(replies)
    for stored in styles:
        card = stored.style
        if card.id not in chosen:
            continue
        question, replies_of = chosen[card.id]
        names = f"{escape(card.names.zh)} / {escape(card.names.en)}"
        console.print(f"\n[bold]{names}[/]  {escape(question)}")
        for contestant, label in SHOWN.items():
            if contestant in replies_of:
                console.print(f"  {label} {escape(replies_of[contestant])}")
    console.print()


def show_figures(console: Console, evaluation: EvaluationReport, report: DemoReport) -> None:
    """Show the evaluation, where the time went, and the memory."""
    console.print(scores(evaluation))
    if evaluation.ranking:
        console.print(places(evaluation))
    for told in findings(evaluation):
        console.print(escape(told))
    console.print(stage_times(report.stages))
    versions = report.engines
    console.print(
        f"peak memory of all processes: {gigabytes(report.peak_memory_bytes)}; "
        f"llamafactory {versions.llamafactory}, vllm {versions.vllm}, torch {versions.torch}"
    )


def stage_times(stages: Mapping[str, float]) -> Table:
    """Return the table of the stages' times."""
    table = columns("Where the time went", "stage", "seconds")
    for name, seconds in stages.items():
        table.add_row(name, f"{seconds:.1f}")
    table.add_section()
    table.add_row("all", f"{sum(stages.values()):.1f}")
    return table
