"""The command `tonesmith`: all commands, and the one place where errors become exit codes.

Exit codes: 0 done, 1 failed, 2 bad input, 3 a service is down, 130 interrupted.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import httpx
import typer

from tonesmith.commands import (
    advise,
    chat,
    data,
    demo,
    doctor,
    evaluate,
    export,
    jobs,
    logs,
    models,
    quality,
    questions,
    review,
    runs,
    stack,
    status,
    styles,
    train,
)
from tonesmith.config import environment
from tonesmith.errors import FAILED, KNOWN_ERRORS, describe, exit_code
from tonesmith.reach import listens
from tonesmith.session import Session


def build() -> typer.Typer:
    """Return the app with every command."""
    app = typer.Typer(
        name="tonesmith",
        help="Style cards in, a chat model that talks that way out.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    app.add_typer(styles.app, name="styles")
    app.add_typer(jobs.app, name="job")
    app.add_typer(review.app, name="review")
    start, make = (doctor, demo, stack, logs), (questions, data, quality, advise, train)
    for register in (*start, *make, runs, evaluate, models, export, chat, status):
        register.add_to(app)
    return app


def run(
    arguments: Sequence[str],
    *,
    environ: Mapping[str, str],
    transport: httpx.BaseTransport | None = None,
    listens: Callable[[str], bool] = listens,
) -> int:
    """Run one command and return its exit code.

    Args:
        arguments: the command line, without the program's name.
        environ: the environment.
        transport: how requests travel; the real network by default.
        listens: whether somebody listens at an address of this machine.
    """
    session = Session(
        environment(environ, Path.cwd()), transport, inherited=environ, listens=listens
    )
    try:
        build()(list(arguments), obj=session)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILED
    except KNOWN_ERRORS as error:
        session.screen.error(describe(session.explained(error)))
        return exit_code(error)
    finally:
        session.close()
    return 0


def main() -> None:
    """Run the command of this process."""
    sys.exit(run(sys.argv[1:], environ=os.environ))
