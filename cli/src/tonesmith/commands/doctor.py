"""`tonesmith doctor`: is this machine ready, and what is to be done where it is not?"""

import typer
from rich.markup import escape

from tonesmith.doctor import examine
from tonesmith.errors import FAILED
from tonesmith.screen import columns
from tonesmith.session import AsJson, session_of

COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("doctor")(doctor)


def doctor(context: typer.Context, as_json: AsJson = False) -> None:
    """Look at this machine; each finding that is not ok has its remedy."""
    session = session_of(context)
    screen = session.show(as_json)
    findings = examine(session.settings, session.environ)
    table = columns("Doctor", "", "what", "found", "remedy")
    for finding in findings:
        mark = f"[{COLOURS[finding.level]}]{finding.level}[/]"
        table.add_row(mark, finding.name, escape(finding.detail), escape(finding.remedy))
    healthy = all(finding.level != "error" for finding in findings)
    screen.result({"healthy": healthy, "findings": findings})
    screen.table(table)
    screen.next_step("make demo" if healthy else "follow the remedies above")
    if not healthy:
        raise typer.Exit(FAILED)
