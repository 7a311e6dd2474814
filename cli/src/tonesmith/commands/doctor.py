"""`tonesmith doctor`: is this machine ready, and what is to be done where it is not?"""

from typing import Annotated

import typer
from rich.markup import escape

from kit.errors import InvalidInputError
from tonesmith.docker.compose import Profile, profile_of
from tonesmith.doctor.containers import Patient, examine_containers
from tonesmith.doctor.embedded import examine
from tonesmith.doctor.finding import Finding, tolerated, verdict, worst_first
from tonesmith.errors import FAILED
from tonesmith.screen import columns
from tonesmith.session import AsJson, Session, session_of

COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}
ForContainers = Annotated[
    bool, typer.Option("--docker", help="Only what containers need; their problems are errors.")
]
ForProfile = Annotated[
    Profile | None, typer.Option("--profile", help="As --docker, for this profile.")
]


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("doctor")(doctor)


def doctor(
    context: typer.Context,
    docker: ForContainers = False,
    profile: ForProfile = None,
    as_json: AsJson = False,
) -> None:
    """Look at this machine; each finding that is not ok has its remedy.

    The embedded stack (`tonesmith up`, `make demo`) does without Docker: unless asked with
    --docker or --profile, a problem of Docker's is a warning.
    """
    session = session_of(context)
    screen = session.show(as_json)
    in_containers = docker or profile is not None
    findings = worst_first(look(session, profile, in_containers=in_containers))
    healthy = all(finding.level != "error" for finding in findings)
    screen.result({"healthy": healthy, "findings": findings}, escape(verdict(findings)))
    table = columns("Doctor", "", "what", "found", "remedy")
    for finding in findings:
        mark = f"[{COLOURS[finding.level]}]{finding.level}[/]"
        table.add_row(mark, finding.name, escape(finding.detail), escape(finding.remedy))
    screen.table(table)
    start = "tonesmith up --docker" if in_containers else "make demo"
    screen.next_step(start if healthy else "follow the remedies above")
    if not healthy:
        raise typer.Exit(FAILED)


def look(session: Session, profile: Profile | None, *, in_containers: bool) -> list[Finding]:
    """Return the findings that were asked for."""
    compose = session.compose(None, *([profile] if profile else []))
    try:
        contained = examine_containers(Patient(compose, profile_of(session.inherited, profile)))
    except InvalidInputError as error:  # the embedded stack does without a profile
        said, hint = error.body.message, error.body.hint or ""
        contained = [Finding(name="COMPOSE_PROFILES", level="error", detail=said, remedy=hint)]
    if in_containers:
        return contained
    equipped = session.equipped()
    embedded = examine(equipped.settings, equipped.environ)
    return [*embedded, *(tolerated(finding) for finding in contained)]
