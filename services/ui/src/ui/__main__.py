"""Run the page: `python -m ui`. Settings come from the environment (see README.md)."""

import os
import sys

from kit.config import SettingsError
from kit.logs import configure_logs
from kit.server import serve
from ui.config import UiSettings


def main() -> int:
    """Serve until SIGTERM or SIGINT; return the exit status (2: the settings are wrong)."""
    try:
        settings = UiSettings.from_environ(os.environ)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    configure_logs("ui", settings.log_level)
    # Gradio reads this when it is imported: no telemetry, no look-up of newer versions.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    from ui.app import create_app

    serve(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        grace_seconds=settings.shutdown_seconds,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
