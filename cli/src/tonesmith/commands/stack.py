"""`tonesmith up` and `down`: the embedded stack, all services as local processes."""

import time
from pathlib import Path
from typing import Annotated

import typer

from tonesmith.errors import CommandError
from tonesmith.screen import Screen
from tonesmith.session import session_of
from tonesmith.signals import StopRequestedError, orderly_end, undisturbed
from tonesmith.stack import services
from tonesmith.stack.embedded import Stack
from tonesmith.stack.ports import choose, wanted
from tonesmith.stack.programs import SERVICES, Places, stack_environment
from tonesmith.stack.supervisor import Supervisor
from tonesmith.watch import bars

ROOT = Path("var")
# Importing Gradio on a busy machine with two cores takes the longest of them.
READY_SECONDS = 90.0
WATCH_SECONDS = 1.0
ENGINES = ("TRAINER_ENGINE_PYTHON", "SERVING_ENGINE_PYTHON")


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("up")(up)
    app.command("down")(down)


def up(
    context: typer.Context,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Come back at once.")] = False,
) -> None:
    """Start all services as local processes; Ctrl-C stops every one of them."""
    session = session_of(context)
    screen = session.screen
    require_engines(dict(session.environ))
    ports, taken = choose(wanted(session.environ))
    if taken:
        raise CommandError(
            f"port {taken[0]} is in use", hint="stop its program (`tonesmith down`), or set *_PORT"
        )
    environ = stack_environment(session.environ, ROOT, ports)
    stack = Stack(Places(ROOT), SERVICES, environ)
    with orderly_end():
        try:
            stack.start(detached=detach)
            wait_ready(stack, ports, screen)
            if not detach:
                stay(stack, screen)
        except (KeyboardInterrupt, StopRequestedError):
            stop(stack, screen)
        except BaseException:
            stop(stack, screen)
            raise


def down(context: typer.Context) -> None:
    """Stop the stack that `up --detach` started."""
    screen = session_of(context).screen
    if not Supervisor(Places(ROOT).socket).running:
        screen.note("nothing runs")
        return
    stop(Stack(Places(ROOT), SERVICES, {}), screen)


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
        screen.note(f"  {name:8} {address}")
    screen.next_step("tonesmith status")


def stay(stack: Stack, screen: Screen) -> None:
    """Watch the stack until somebody interrupts."""
    screen.note("up; Ctrl-C stops everything")
    while True:
        stack.check()
        time.sleep(WATCH_SECONDS)


def stop(stack: Stack, screen: Screen) -> None:
    """Stop the stack and say so."""
    with undisturbed():
        screen.note("stopping the services ...")
        killed = stack.stop()
        screen.note(f"all stopped ({len(killed)} had to be killed)" if killed else "all stopped")
