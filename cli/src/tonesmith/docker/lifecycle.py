"""Start and stop the stack in containers, and show its logs."""

from dataclasses import replace

import typer

from kit.errors import InvalidInputError
from tonesmith.docker.compose import FILE, Compose, ComposeError, Profile, profile_of
from tonesmith.docker.engine import connect
from tonesmith.docker.failures import EngineError
from tonesmith.docker.project import Project, find_project
from tonesmith.doctor.containers import Patient, first_obstacle
from tonesmith.errors import CommandError
from tonesmith.screen import Screen

# As people look for them: the page first.
SHOWN = ("ui", "datagen", "trainer", "serving")
# Shown where they run.
WATCHERS = ("grafana", "prometheus", "alertmanager")
WARNING = "delete the volumes of {}, with every dataset, run and model in them?"


def start(compose: Compose, screen: Screen, *, build: bool) -> None:
    """Start the stack, wait until it is healthy, and say where it is.

    Raises:
        CommandError: something stands in the way, or compose fails.
    """
    if compose.folder is None:
        raise CommandError(f"no {FILE} here, nor in a folder above", hint="call from the clone")
    profile = profile_of(compose.environ, *compose.profiles)
    if obstacle := first_obstacle(Patient(compose, profile)):
        raise CommandError(f"{obstacle.name}: {obstacle.detail}", hint=obstacle.remedy)
    code = compose.run("up", "--detach", "--wait", *(["--build"] if build else []))
    if code:
        raise ComposeError(
            f"docker compose up failed (exit code {code})",
            hint=f"see `tonesmith logs --project {compose.project}`; check the machine with "
            "`tonesmith doctor --docker`",
        )
    if project := find_project(compose.environ, compose.project):
        try:
            show_addresses(project, screen)
        finally:
            project.close()


def show_addresses(project: Project, screen: Screen) -> None:
    """Say where each service is."""
    for name in SHOWN:
        where = project.published(name) or f"inside {project.name}: the commands find it"
        screen.note(f"  {name:12} {where}")
    for name in WATCHERS:
        if address := project.published(name):
            screen.note(f"  {name:12} {address}")


def stop(compose: Compose, screen: Screen, *, volumes: bool, sure: bool) -> bool:
    """Stop the stack, if there is anything of it, and return whether there was.

    Args:
        compose: the project.
        screen: where to say so.
        volumes: delete the volumes too.
        sure: without asking.

    Raises:
        ComposeError: compose fails.
    """
    if not remains(compose, volumes=volumes):
        return False
    if volumes and not sure:
        typer.confirm(WARNING.format(compose.project), abort=True, err=True)
    code = every_profile(compose).run("down", *(["--volumes"] if volumes else []))
    if code:
        raise ComposeError(f"docker compose down failed (exit code {code})")
    screen.note(f"{compose.project}: containers stopped" + (", volumes deleted" * volumes))
    return True


def remains(compose: Compose, *, volumes: bool) -> bool:
    """Return whether the project has containers (or volumes, where they count)."""
    try:
        with connect(compose.environ) as engine:
            found = engine.containers(compose.project)
            return bool(found or (volumes and engine.volumes(compose.project)))
    except EngineError:
        return False


def show_logs(
    compose: Compose, project: Project, service: str | None, *, follow: bool, tail: int
) -> int:
    """Show the logs of the containers and return compose's exit code.

    Raises:
        InvalidInputError: there is no container of that service.
    """
    words = ["logs", "--tail", str(tail), *(["--follow"] if follow else [])]
    if service:
        container = project.container(service)
        if container is None:
            known = ", ".join(sorted({found.service for found in project.containers}))
            raise InvalidInputError(
                f"no container of {service!r}", field="SERVICE", hint=f"there are: {known}"
            )
        words.append(container.service)
    return every_profile(compose).run(*words)


def every_profile(compose: Compose) -> Compose:
    """Return the project with the variants of every profile."""
    return replace(compose, profiles=tuple(Profile))
