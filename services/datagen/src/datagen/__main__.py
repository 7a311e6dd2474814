"""Run datagen: `python -m datagen`, settings from the environment (see README.md)."""

import os
import sys

from datagen.app import create_app
from datagen.config import Settings
from datagen.heap import settle_memory
from kit.config import SettingsError
from kit.errors import TonesmithError
from kit.logs import configure_logs
from kit.server import serve


def main() -> int:
    """Serve until SIGTERM; return the exit code (2: the settings cannot be used)."""
    try:
        settings = Settings.from_environ(os.environ)
        configure_logs("datagen", settings.log_level)
        app = create_app(settings)
    except (SettingsError, TonesmithError) as error:
        sys.stderr.write(f"datagen: {error}\n")
        return 2
    settle_memory()
    serve(app, host=settings.host, port=settings.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
