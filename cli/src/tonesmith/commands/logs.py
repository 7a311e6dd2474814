"""`tonesmith logs`: what the services write, of whichever stack runs."""

from typing import Annotated

import typer

from kit.errors import InvalidInputError
from tonesmith.commands.stack import ProjectName
from tonesmith.demo.show import ROOT as DEMO_ROOT
from tonesmith.docker.lifecycle import show_logs
from tonesmith.docker.project import find_project
from tonesmith.errors import START, CommandError
from tonesmith.session import Session, session_of
from tonesmith.stack import logs as local
from tonesmith.stack.programs import ROOT, Places
from tonesmith.stack.supervisor import Supervisor


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("logs")(logs)


def logs(
    context: typer.Context,
    service: Annotated[str | None, typer.Argument(help="Only this one; default: all.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Until Ctrl-C.")] = False,
    tail: Annotated[int, typer.Option(min=0, help="Lines of each service.")] = 100,
    project: ProjectName = None,
) -> None:
    """Show what the services log."""
    session = session_of(context)
    places = [Places(root) for root in (ROOT, DEMO_ROOT)]
    running = [place for place in places if Supervisor(place.socket).running]
    try:
        if not running and contained(session, project, service, follow=follow, tail=tail):
            return
        left = [place for place in places if local.log_files(place)]
        if not running and not left:
            raise CommandError("there are no logs here", hint=START)
        of_processes(session, (running or left)[0], service, follow=follow, tail=tail)
    except KeyboardInterrupt:
        return  # how one leaves --follow


def contained(
    session: Session, name: str | None, service: str | None, *, follow: bool, tail: int
) -> bool:
    """Show the logs of the containers, and return whether there are any."""
    compose = session.compose(name)
    project = find_project(compose.environ, compose.project)
    if project is None:
        return False
    try:
        code = show_logs(compose, project, service, follow=follow, tail=tail)
    finally:
        project.close()
    if code:
        raise typer.Exit(code)
    return True


def of_processes(
    session: Session, places: Places, service: str | None, *, follow: bool, tail: int
) -> None:
    """Show the logs of local processes. Raises InvalidInputError for an unknown service."""
    files = local.log_files(places)
    if service and service not in files:
        known = ", ".join(files)
        raise InvalidInputError(f"no log of {service!r}", field="SERVICE", hint=f"see: {known}")
    chosen = {service: files[service]} if service else files
    out = session.screen.out

    def show(name: str, line: str) -> None:
        out.print(f"{name:12}| {line}", markup=False)

    local.show_last(chosen, tail, show)
    if follow:
        local.follow(chosen, show, lambda: True)
