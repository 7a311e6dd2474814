"""`tonesmith status`: which services answer, what is served, what is going on."""

from collections.abc import Callable
from typing import Any

import typer
from rich.markup import escape

from client import ServiceDownError, ServiceError
from client.service import Service
from tonesmith.errors import SERVICE_DOWN
from tonesmith.screen import columns
from tonesmith.session import AsJson, Session, session_of


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("status")(status)


def status(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the services, the served models and the jobs that go on."""
    session = session_of(context)
    screen = session.show(as_json)
    found = snapshot(session)
    table = columns("Services", "service", "address", "state", "detail")
    for name, service in found["services"].items():
        colour = "green" if service["ready"] else "yellow" if service["alive"] else "red"
        state = "ready" if service["ready"] else "not ready" if service["alive"] else "down"
        detail = escape("; ".join(service["reasons"]))
        table.add_row(name, service["url"], f"[{colour}]{state}[/]", detail)
    screen.result(found)
    screen.table(table)
    show_models(session, found)
    if not all(service["alive"] for service in found["services"].values()):
        screen.next_step("tonesmith up")
        raise typer.Exit(SERVICE_DOWN)


def show_models(session: Session, found: dict[str, Any]) -> None:
    """Show what is served and what is going on."""
    screen = session.screen
    if screen.as_json:
        return
    if current := found["current"]:
        aliases = ", ".join(f"{name} = {name}.v{n}" for name, n in current["aliases"].items())
        screen.out.print(f"base: {current['base']}; served: {aliases or 'the base only'}")
    for job in found["jobs"]:
        told = job["progress"]
        screen.out.print(f"{job['id']}: {told['stage']} {told['done']}/{told['total']}")


def snapshot(session: Session) -> dict[str, Any]:
    """Return what the services say of themselves, without failing where one is down."""
    with session.datagen() as datagen, session.trainer() as trainer, session.launcher() as launcher:
        services = {
            "datagen": probe(datagen),
            "trainer": probe(trainer),
            "serving": probe(launcher),
        }
        found: dict[str, Any] = {"services": services, "current": None, "jobs": []}
        kinds = []
        if services["datagen"]["alive"]:
            kinds += [datagen.dataset_jobs, datagen.evaluation_jobs]
        if services["trainer"]["alive"]:
            kinds += [trainer.run_jobs, trainer.promotion_jobs]
            found["current"] = answer_or_none(lambda: trainer.current().model_dump(mode="json"))
        if services["serving"]["alive"]:
            found["serving"] = answer_or_none(lambda: launcher.status().model_dump(mode="json"))
        going_on = [job for kind in kinds for job in kind.newest() if not job.state.final]
        found["jobs"] = [job.model_dump(mode="json") for job in going_on]
    return found


def probe(service: Service) -> dict[str, Any]:
    """Return whether a service lives and is ready, and what it says where it is not."""
    found: dict[str, Any] = {"url": service.url, "alive": False, "ready": False, "reasons": []}
    try:
        reasons = service.readiness()
    except ServiceDownError as error:
        return found | {"reasons": [error.reason or "no answer"]}
    return found | {"alive": True, "ready": not reasons, "reasons": reasons}


def answer_or_none(ask: Callable[[], Any]) -> Any:
    """Return an answer, or None where the service refuses or goes away meanwhile."""
    try:
        return ask()
    except (ServiceError, ServiceDownError):
        return None
