"""Run a service's app until SIGTERM or SIGINT, and then end with a normal return.

`uvicorn.run` raises the signal again once it has shut down, so that a service stopped on
purpose would look killed (exit status 143).
"""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

# Open event streams last as long as their job: this is how long a shutdown waits for them.
GRACE_SECONDS = 5


class Server(uvicorn.Server):
    """A server that leaves the signals to `serve`."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install nothing."""
        yield


def serve(app: FastAPI, *, host: str, port: int, grace_seconds: int = GRACE_SECONDS) -> None:
    """Serve `app` until a signal comes and its lifespan has ended.

    Args:
        app: the service.
        host: address to listen on.
        port: port to listen on; 0 takes a free one.
        grace_seconds: how long running requests may take to end.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=grace_seconds,
    )
    asyncio.run(run(Server(config)))


async def run(server: Server) -> None:
    """Run `server`; a second signal ends it without waiting for requests."""

    def on_signal() -> None:
        server.force_exit = server.should_exit
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    await server.serve()
