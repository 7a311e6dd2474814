"""`tonesmith report-card` and `tonesmith versions`: what a dataset is, and what it was before."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from contracts.quality import Explanation, ReportCard, Thresholds
from contracts.versions import DatasetVersion
from tonesmith.asking import checked, conditions
from tonesmith.screen import dense
from tonesmith.session import AsJson, session_of

DatasetId = Annotated[str, typer.Argument(help="Id of a published dataset.")]
Limits = Annotated[
    list[str] | None,
    typer.Option("--limit", help="Another threshold, as near_duplicate=0.8; repeat it."),
]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("report-card")(report_card)
    app.command("versions")(versions)


def report_card(
    context: typer.Context,
    dataset: DatasetId,
    limit: Limits = None,
    row: Annotated[str | None, typer.Option(help="Explain this row, by its id.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what the gates have against a dataset; with --limit what other thresholds change."""
    session = session_of(context)
    screen = session.show(as_json)
    limits = checked(Thresholds, **conditions(limit))
    with session.datagen() as datagen:
        quality = datagen.quality(dataset)
        if row:
            told = quality.explain(row, limits)
            screen.result(told, *explained(told))
            return screen.table(readings(told))
        if limit:
            found = quality.preview(limits)
            screen.result(
                found,
                f"{found.kept_now} of {found.rows} rows are kept, "
                f"with these thresholds [bold]{found.kept_then}[/]",
                *(
                    f"  {gate.reason}: {gate.refused} more refused, {gate.kept} more kept"
                    for gate in found.gates
                    if gate.refused or gate.kept
                ),
            )
            return None
        card = quality.card()
    screen.result(card, f"[bold]{card.dataset_id}[/]: {card.clean} of {card.rows} rows are clean")
    screen.table(gates(card))
    screen.table(styles(card))
    screen.next_step(f"tonesmith review rows {dataset}")


def gates(card: ReportCard) -> Table:
    """Return what each gate found, those that found nothing left out."""
    table = dense("Gates", "reason", "rows", "share", "such as", wraps="such as")
    for gate in card.gates:
        if gate.flagged:
            shown = gate.examples[0] if gate.examples else None
            such = f"{shown.row}: {shown.reply[:60]}" if shown else ""
            table.add_row(str(gate.reason), str(gate.flagged), f"{gate.ratio:.1%}", escape(such))
    return table


def styles(card: ReportCard) -> Table:
    """Return the figures of each style."""
    table = dense("Styles", "style", "rows", "clean", "median length", "contrast")
    for style in card.styles:
        contrast = "-" if style.contrast is None else f"{style.contrast:+.3f}"
        table.add_row(
            style.id, str(style.rows), str(style.clean), f"{style.lengths.median:.0f}", contrast
        )
    return table


def explained(told: Explanation) -> list[str]:
    """Return a row and what happens to it, as lines."""
    now = f"refused for {told.refused_for}" if told.refused_for else "kept"
    then = f"refused for {told.would_be_refused_for}" if told.would_be_refused_for else "kept"
    return [
        f"[bold]{escape(told.row)}[/] ({told.style}): {now}; with these thresholds {then}",
        f"  {escape(told.question)}",
        f"  {escape(told.reply)}",
    ]


def readings(told: Explanation) -> Table:
    """Return what each gate reads off a row."""
    table = dense("Gates", "gate", "", "value", "threshold", "detail", wraps="detail")
    for gate in told.gates:
        mark = "[red]refuses[/]" if gate.refuses else "passes"
        detail = " ".join(filter(None, (gate.detail, f"like {gate.like}" if gate.like else "")))
        table.add_row(str(gate.reason), mark, shown(gate.value), shown(gate.limit), escape(detail))
    return table


def shown(number: float | None) -> str:
    """Return a figure for a table."""
    return "-" if number is None else f"{number:.3g}"


def versions(
    context: typer.Context,
    dataset: DatasetId,
    diff: Annotated[str | None, typer.Option(help="Compare with this dataset.")] = None,
    rollback: Annotated[
        str | None, typer.Option(help="Publish a new version with this one's content.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the versions of a dataset, compare two, or go back to one."""
    session = session_of(context)
    screen = session.show(as_json)
    with session.datagen() as datagen:
        client = datagen.versions(dataset)
        if rollback:
            manifest = client.roll_back(rollback)
            return screen.result(manifest, f"[bold]{manifest.id}[/] has the content of {rollback}")
        if diff:
            found = client.diff(diff, limit=20)
            counts = found.counts.model_dump()
            told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
            return screen.result(found, f"{dataset} to {diff}: {told}")
        known = client.all()
    screen.result(known)
    screen.table(listed(known))
    return None


def listed(known: list[DatasetVersion]) -> Table:
    """Return the versions of a dataset as a table."""
    table = dense("Versions", "dataset", "version", "made", "from", "rows", wraps="rows")
    for version in known:
        table.add_row(
            version.id,
            str(version.version),
            version.created_at.strftime("%Y-%m-%d %H:%M"),
            version.lineage.parent if version.lineage else "-",
            ", ".join(f"{count} {split}" for split, count in version.rows.items()),
        )
    return table
