"""What the demo shows at its end: questions with both replies, figures, times and addresses."""

from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from contracts.evaluation import EvaluationReport, Reply
from contracts.style import StyleVersion
from tonesmith.commands.evaluate import scores
from tonesmith.demo.report import DemoReport
from tonesmith.doctor.finding import gigabytes
from tonesmith.screen import columns

Exchange = tuple[str, str, str]


def exchanges(replies: Iterable[Reply]) -> dict[str, Exchange]:
    """Return for each style its first question with the base's and the tuned reply."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for reply in replies:
        found.setdefault((reply.style, reply.question), {})[reply.contestant] = reply.reply
    chosen: dict[str, Exchange] = {}
    for (style, question), by_contestant in found.items():
        if style not in chosen and {"base", "tuned"} <= set(by_contestant):
            chosen[style] = question, by_contestant["base"], by_contestant["tuned"]
    return chosen


def show_transcript(
    console: Console, styles: Iterable[StyleVersion], replies: Iterable[Reply]
) -> None:
    """Show one held-out question of each style with both replies."""
    chosen = exchanges(replies)
    for stored in styles:
        card = stored.style
        if card.id not in chosen:
            continue
        question, base, tuned = (escape(text) for text in chosen[card.id])
        console.print(f"\n[bold]{escape(card.names.zh)} / {escape(card.names.en)}[/]  {question}")
        console.print(f"  [dim]base [/] {base}")
        console.print(f"  [green]tuned[/] {tuned}")
    console.print()


def show_figures(console: Console, evaluation: EvaluationReport, report: DemoReport) -> None:
    """Show the evaluation, where the time went, and the memory."""
    console.print(scores(evaluation))
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
