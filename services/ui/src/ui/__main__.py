"""Run the page: `python -m ui`. Settings come from the environment (see README.md)."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from fastapi import FastAPI

from kit.config import SettingsError
from kit.exposition import exposing
from kit.logs import configure_logs
from kit.server import serve
from ui.config import UiSettings

logger = logging.getLogger(__name__)
# When replies have ended: for the last lines of them to reach their readers.
CLOSE_SECONDS = 2


def main() -> int:
    """Serve until SIGTERM or SIGINT; return the exit status (2: the settings are wrong)."""
    # Gradio reads this when it is imported: no telemetry, no look-up of newer versions.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    with ExitStack() as stack:
        try:
            settings = UiSettings.from_environ(os.environ)
            configure_logs("ui", settings.log_level)
            from ui.app import create_app

            app = create_app(settings)
            stack.enter_context(measured(app, settings))
        except (SettingsError, OSError) as error:  # OSError: Gradio finds no TMPDIR
            sys.stderr.write(f"ui: {error}\n")
            return 2
        serve(
            app,
            host=settings.host,
            port=settings.port,
            grace_seconds=CLOSE_SECONDS,
            drain=app.state.drain,
        )
    return 0


@contextmanager
def measured(app: FastAPI, settings: UiSettings) -> Iterator[int]:
    """Serve the app's metrics on their own port, which is yielded. Raises SettingsError."""
    exposed = exposing(app.state.registry, settings.metrics_host, settings.metrics_port)
    with ExitStack() as stack:
        try:
            port = stack.enter_context(exposed)
        except OSError as error:
            raise SettingsError(
                f"UI_METRICS_PORT: {error.strerror or error}; name a free port, or 0"
            ) from error
        logger.info("metrics are served", extra={"host": settings.metrics_host, "port": port})
        yield port


if __name__ == "__main__":
    sys.exit(main())
