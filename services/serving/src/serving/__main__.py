"""Run serving: `python -m serving`. SIGTERM drains, then stops; a second one kills the engine.

The control port answers until the engine has ended, so that `/ready` can say that it drains.
"""

import asyncio
import os
import signal
import sys

import uvicorn
from fastapi import FastAPI

from kit.config import SettingsError
from kit.logs import configure_logs
from kit.server import Server
from serving.app import create_app
from serving.config import ServingSettings
from serving.launch import Launcher


async def serve(app: FastAPI, settings: ServingSettings) -> None:
    """Run until a signal comes and the engine has ended."""
    launcher: Launcher = app.state.launcher
    config = uvicorn.Config(
        app,
        host=settings.control_host,
        port=settings.control_port,
        log_config=None,
        access_log=False,
    )
    # It leaves the signals to us: it must answer while the engine drains.
    server = Server(config)
    endings: list[asyncio.Task[None]] = []

    async def end() -> None:
        await launcher.drain()
        server.should_exit = True

    def on_signal() -> None:
        endings.append(asyncio.create_task(launcher.kill_engine() if endings else end()))

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    await server.serve()


def main() -> int:
    """Read the settings and run; return the exit code."""
    try:
        settings = ServingSettings.from_environ(os.environ)
        configure_logs("serving", settings.log_level)
        app = create_app(settings)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    asyncio.run(serve(app, settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
