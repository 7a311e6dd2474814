"""Run a service's app until SIGTERM or SIGINT, and then end with a normal return.

`uvicorn.run` raises the signal again once it has shut down, so that a service stopped on
purpose would look killed (exit status 143). It also closes its port at once; a service with
something to end first names a `drain`, and goes on answering until that returns.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

import uvicorn
from fastapi import FastAPI

# Open event streams last as long as their job: this is how long a shutdown waits for them.
GRACE_SECONDS = 5
Drain = Callable[[], Awaitable[None]]


class Server(uvicorn.Server):
    """A server that leaves the signals to `serve`."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install nothing."""
        yield


async def no_drain() -> None:
    """Nothing to end before the port closes."""


def serve(
    app: FastAPI,
    *,
    host: str,
    port: int,
    grace_seconds: int = GRACE_SECONDS,
    drain: Drain = no_drain,
) -> None:
    """Serve `app` until a signal comes and its lifespan has ended.

    Args:
        app: the service.
        host: address to listen on.
        port: port to listen on; 0 takes a free one.
        grace_seconds: how long running requests may take to end once the port is closed.
        drain: awaited after the signal, while the port is still open; it has a bound of its own.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        # Who asks is who connects: what a header says of it is for the services to believe or not.
        proxy_headers=False,
        timeout_graceful_shutdown=grace_seconds,
    )
    asyncio.run(run(Server(config), drain))


async def run(server: Server, drain: Drain = no_drain) -> None:
    """Run `server` until a signal; a second signal ends it without waiting for requests."""
    loop = asyncio.get_running_loop()
    endings: list[asyncio.Task[None]] = []

    async def end() -> None:
        try:
            await drain()
        finally:
            server.should_exit = True

    def on_signal() -> None:
        if not endings:
            endings.append(loop.create_task(end()))
            return
        endings[0].cancel()
        server.should_exit = server.force_exit = True
        # From Python 3.12 on uvicorn waits for open connections even then.
        for connection in list(server.server_state.connections):
            connection.transport.abort()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    await server.serve()
    for ending in endings:
        with suppress(asyncio.CancelledError):
            await ending
