"""Run the trainer: `python -m trainer`, with settings from the environment (see README.md)."""

import os
import sys

from kit.config import SettingsError
from kit.errors import TonesmithError
from kit.logs import configure_logs
from kit.server import serve
from trainer.app import create_app
from trainer.config import Settings

SHUTDOWN_SECONDS = 10


def main() -> int:
    """Serve until SIGTERM, which ends open requests gracefully and stops the engine."""
    try:
        settings = Settings.from_environ(os.environ)
        configure_logs("trainer", settings.log_level)
        app = create_app(settings)
    except (SettingsError, TonesmithError) as error:
        sys.stderr.write(f"trainer: {error}\n")
        return 2
    serve(app, host=settings.host, port=settings.port, grace_seconds=SHUTDOWN_SECONDS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
