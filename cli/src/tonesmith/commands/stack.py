"""`tonesmith up` and `down`: the stack as local processes, or in containers."""

import time
from pathlib import Path
from typing import Annotated

import typer

from kit.errors import InvalidInputError, NotFoundError
from tonesmith.docker import lifecycle
from tonesmith.docker.compose import Profile
from tonesmith.errors import CommandError
from tonesmith.screen import Screen
from tonesmith.session import Session, session_of
from tonesmith.signals import StopRequestedError, orderly_end, undisturbed
from tonesmith.stack import addresses, services
from tonesmith.stack.embedded import Stack, StackStoppedError
from tonesmith.stack.engines import ENGINES
from tonesmith.stack.ports import choose, wanted
from tonesmith.stack.programs import ROOT, SERVICES, Places, Program, stack_environment
from tonesmith.stack.prometheus import MISSING, Watcher, prepare_watcher, shown_on_the_page
from tonesmith.stack.supervisor import Supervisor
from tonesmith.watch import bars

# Importing Gradio on a busy machine with two cores takes the longest of them.
READY_SECONDS = 90.0
WATCH_SECONDS = 1.0
ProjectName = Annotated[
    str | None, typer.Option("--project", help="Compose project; default TONESMITH_PROJECT.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("up")(up)
    app.command("down")(down)


def up(
    context: typer.Context,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Come back at once.")] = False,
    docker: Annotated[bool, typer.Option("--docker", help="In containers, in the back.")] = False,
    profile: Annotated[
        Profile | None, typer.Option(help="With --docker: the variants that run.")
    ] = None,
    build: Annotated[bool, typer.Option("--build", help="With --docker: build anew.")] = False,
    project: ProjectName = None,
) -> None:
    """Start all services as local processes (Ctrl-C stops them), or in containers."""
    session = session_of(context)
    if docker:
        profiles = (profile,) if profile else ()
        lifecycle.start(session.compose(project, *profiles), session.screen, build=build)
        named = f"TONESMITH_PROJECT={project} " if project else ""
        session.screen.next_step(f"{named}tonesmith status")
        return
    if profile or build or project:
        raise InvalidInputError("that option is for containers", hint="add --docker")
    up_embedded(session.equipped(), detach=detach)


def up_embedded(session: Session, *, detach: bool) -> None:
    """Start all services as local processes, and stay unless `detach`."""
    screen = session.screen
    if Supervisor(Places(ROOT).socket).running:
        raise CommandError("the stack runs already", hint="stop it: `tonesmith down`")
    require_engines(dict(session.environ))
    ports, taken = choose(wanted(session.environ))
    if taken:
        raise CommandError(
            f"port {taken[0]} is in use", hint="stop its program (`tonesmith down`), or set *_PORT"
        )
    environ = stack_environment(session.environ, ROOT, ports)
    watcher = prepare_watcher(environ, Places(ROOT), ports)
    addresses.record(Places(ROOT), ports)
    stack = Stack(Places(ROOT), watched(watcher), shown_on_the_page(environ, watcher))
    with orderly_end():
        try:
            stack.start(detached=detach)
            wait_ready(stack, ports, screen)
            screen.note(f"  prometheus {watcher.shown}" if watcher else f"  {MISSING}")
            screen.next_step("tonesmith status")
            if not detach:
                stay(stack, screen)
        except (KeyboardInterrupt, StopRequestedError):
            stop(stack, screen)
        except StackStoppedError:
            with undisturbed():
                stack.stop()
            screen.note("stopped by `tonesmith down`")
        except BaseException:
            stop(stack, screen)
            raise


def down(
    context: typer.Context,
    volumes: Annotated[
        bool, typer.Option("--volumes", help="Containers: delete their data too.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    project: ProjectName = None,
) -> None:
    """Stop the stack that runs: what `up`, `up --detach` or `up --docker` started.

    An `up` that stays in another terminal ends too. With --project only containers are stopped.
    """
    session = session_of(context)
    embedded = not project and Supervisor(Places(ROOT).socket).running
    if embedded:
        stop(Stack(Places(ROOT), SERVICES, {}), session.screen)
    compose = session.compose(project)
    contained = lifecycle.stop(compose, session.screen, volumes=volumes, sure=yes)
    if project and not contained:
        raise NotFoundError(
            f"no containers of project {project!r}", field="--project", hint="see `docker ps`"
        )
    if not embedded and not contained:
        session.screen.note("nothing runs")


def require_engines(environ: dict[str, str]) -> None:
    """Raise CommandError where an engine's environment is not there."""
    for name in ENGINES:
        python = environ.get(name)
        if not python or not Path(python).is_file():
            raise CommandError(
                f"{name} names no interpreter" + (f": {python}" if python else ""),
                field=name,
                hint="install the engines: `make engines`, or use `make up`, which sets it",
            )


def wait_ready(stack: Stack, ports: dict[str, int], screen: Screen) -> None:
    """Wait with a progress bar until every service is ready, and show where they are."""
    probes = services.probes(ports)
    with bars(screen.err) as progress:
        task = progress.add_task("starting the services", total=len(probes), note="")
        stack.wait_until(probes, READY_SECONDS, lambda done: progress.update(task, completed=done))
    for name, address in services.addresses(ports).items():
        screen.note(f"  {name:10} {address}")


def watched(watcher: Watcher | None) -> tuple[Program, ...]:
    """Return the services, and Prometheus where there is one."""
    return (*SERVICES, watcher.program) if watcher else SERVICES


def stay(stack: Stack, screen: Screen) -> None:
    """Watch the stack until somebody interrupts; say once where an optional program has ended."""
    screen.note("up; Ctrl-C stops everything")
    told: set[str] = set()
    while True:
        ended = stack.check()
        for name in sorted(ended - told):
            screen.note(f"{name} does not run, the services go on; see {stack.places.log(name)}")
        told |= ended
        time.sleep(WATCH_SECONDS)


def stop(stack: Stack, screen: Screen) -> None:
    """Stop the stack and say so."""
    with undisturbed():
        screen.note("stopping the services ...")
        killed = stack.stop()
        screen.note(f"all stopped ({len(killed)} had to be killed)" if killed else "all stopped")
