"""Run the page: `python -m ui`. Settings come from the environment (see README.md)."""

import os
import sys

from kit.config import SettingsError
from kit.logs import configure_logs
from kit.server import serve
from ui.config import UiSettings

# When replies have ended: for the last lines of them to reach their readers.
CLOSE_SECONDS = 2


def main() -> int:
    """Serve until SIGTERM or SIGINT; return the exit status (2: the settings are wrong)."""
    # Gradio reads this when it is imported: no telemetry, no look-up of newer versions.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    try:
        settings = UiSettings.from_environ(os.environ)
        configure_logs("ui", settings.log_level)
        from ui.app import create_app

        app = create_app(settings)
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


if __name__ == "__main__":
    sys.exit(main())
