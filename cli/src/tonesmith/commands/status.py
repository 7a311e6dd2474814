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
from tonesmith.stack.programs import ROOT, Places
from tonesmith.stack.prometheus import config_path, url_in
from tonesmith.stack.supervisor import FAILURES, Supervisor

# The services in the order of the journey, and what holds the address of each.
ADDRESSES = {
    "datagen": "datagen_url",
    "trainer": "trainer_url",
    "serving": "serving_control_url",
    "ui": "ui_url",
}


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("status")(status)


def status(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the services, the served models and the jobs that go on."""
    session = session_of(context)
    screen = session.show(as_json)
    found = snapshot(session)
    screen.result(found)
    show_services(session, found["services"])
    show_models(session, found)
    down = [name for name, service in found["services"].items() if not service["alive"]]
    if down:
        contained = "container" in found["services"][down[0]]
        screen.next_step(f"tonesmith logs {down[0]}" if contained else "tonesmith up")
        raise typer.Exit(SERVICE_DOWN)


def show_services(session: Session, services: dict[str, dict[str, Any]]) -> None:
    """Show the table of the services; containers have a column of their own."""
    contained = any("container" in service for service in services.values())
    table = columns("Services", "service", "address", "state", "detail")
    if contained:
        table.add_column("container")
    for name, service in services.items():
        colour = "green" if service["ready"] else "yellow" if service["alive"] else "red"
        state = "ready" if service["ready"] else "not ready" if service["alive"] else "down"
        detail = escape("; ".join(service["reasons"]))
        cells = [name, service["url"], f"[{colour}]{state}[/]", detail]
        if contained:
            cells.append(escape(service.get("container", {}).get("said", "-")))
        table.add_row(*cells)
    session.screen.table(table)


def show_models(session: Session, found: dict[str, Any]) -> None:
    """Show what is served and what is going on."""
    screen = session.screen
    if screen.as_json:
        return
    if current := found["current"]:
        aliases = ", ".join(f"{name} = {name}.v{n}" for name, n in current["aliases"].items())
        screen.out.print(f"base: {current['base']}; served: {aliases or 'the base only'}")
    if watching := found.get("prometheus"):
        screen.out.print(f"prometheus: {watching['url']} ({watching['state'].lower()})")
    if holder := borrower(found.get("serving")):
        screen.out.print(f"[yellow]serving has lent the GPU to {holder}[/]; chat comes back after")
    for job in found["jobs"]:
        told = job["progress"]
        screen.out.print(f"{job['id']}: {told['stage']} {told['done']}/{told['total']}")


def borrower(serving: dict[str, Any] | None) -> str | None:
    """Return the training run that has serving's GPU, or None."""
    if not serving or serving["state"] != "lent":
        return None
    return str((serving.get("lease") or {}).get("holder") or "a training run")


def snapshot(session: Session) -> dict[str, Any]:
    """Return what the services say of themselves, without failing where one is down."""
    with (
        session.datagen() as datagen,
        session.trainer() as trainer,
        session.launcher() as launcher,
        session.page() as page,
    ):
        clients = {"datagen": datagen, "trainer": trainer, "serving": launcher, "ui": page}
        services = {name: probe(session, name, client) for name, client in clients.items()}
        found: dict[str, Any] = {"services": services, "current": None, "jobs": []}
        kinds = []
        if services["datagen"]["alive"]:
            kinds += [datagen.dataset_jobs, datagen.evaluation_jobs]
        if services["trainer"]["alive"]:
            kinds += [trainer.run_jobs, trainer.promotion_jobs, trainer.export_jobs]
            found["current"] = answer_or_none(lambda: trainer.current().model_dump(mode="json"))
        if services["serving"]["alive"]:
            found["serving"] = answer_or_none(lambda: launcher.status().model_dump(mode="json"))
        going_on = [job for kind in kinds for job in kind.newest() if not job.state.final]
        found["jobs"] = [job.model_dump(mode="json") for job in going_on]
    if watching := embedded_prometheus(Places(ROOT)):
        found["prometheus"] = watching
    return found


def embedded_prometheus(places: Places) -> dict[str, str] | None:
    """Return address and state of the Prometheus that `tonesmith up` started, or None."""
    try:
        programs = Supervisor(places.socket).programs()
    except FAILURES:
        return None
    state = next((each.state for each in programs if each.name == "prometheus"), None)
    url = url_in(config_path(places))
    return {"url": url, "state": state} if state and url else None


def probe(session: Session, name: str, service: Service) -> dict[str, Any]:
    """Return whether a service lives and is ready, and what it says where it is not."""
    found: dict[str, Any] = {
        "url": session.reach.address(ADDRESSES[name]).shown,
        "alive": False,
        "ready": False,
        "reasons": [],
    }
    if container := session.reach.container(name):
        found["container"] = {"state": container.state, "health": container.health}
        found["container"]["said"] = container.said
    try:
        reasons = service.readiness()
    except ServiceDownError as error:
        told = session.reach.explained(error)
        return found | {"reasons": [told.reason or "no answer"]}
    return found | {"alive": True, "ready": not reasons, "reasons": reasons}


def answer_or_none(ask: Callable[[], Any]) -> Any:
    """Return an answer, or None where the service refuses or goes away meanwhile."""
    try:
        return ask()
    except (ServiceError, ServiceDownError):
        return None
