"""`tonesmith demo`: teach twelve tones of voice to a small model, in front of your eyes."""

import typer

from tonesmith.commands.stack import stay, stop
from tonesmith.demo.show import Demo
from tonesmith.session import session_of
from tonesmith.signals import StopRequestedError, orderly_end

INTERRUPTED = 130


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("demo")(demo)


def demo(context: typer.Context) -> None:
    """Generate, train, prove, serve: everything on this machine, then stay up to chat.

    DEMO_EXIT=1 ends after the transcript. The report is in var/demo/report.json.
    """
    session = session_of(context).equipped()
    show, shown = Demo(session), False
    with orderly_end():
        try:
            outcome = show.show()
            shown = True
            for name, address in show.addresses(outcome.evaluation.id).items():
                session.screen.out.print(f"{name:11} {address}")
            if session.environ.get("DEMO_EXIT") != "1":
                stay(show.stack, session.screen)
        except (KeyboardInterrupt, StopRequestedError):
            if not shown:
                raise typer.Exit(INTERRUPTED) from None
        finally:
            if hasattr(show, "stack"):
                stop(show.stack, session.screen)
