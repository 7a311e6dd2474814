"""Who answers on the engine's port while the GPU is lent: 503, and when to come back.

The gate is gone with the engine, and a refused connection would look like a crash. It runs in the
launcher's own event loop, and lets go of the port before the engine takes it again.
"""

import asyncio
import logging
import socket
from contextlib import suppress

import uvicorn

from kit.server import Server
from serving.engine.refusal import Receive, Refusal, Scope, Send

logger = logging.getLogger(__name__)
# A run takes minutes or hours; whoever asks again after this hears the same, or is served.
RETRY_SECONDS = 30
BODY_SECONDS = 5.0  # a body left unread would reset the connection before the answer is read
CLOSE_SECONDS = 1
POLL_SECONDS = 0.01


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer every request with 503, in the gate's words and shape."""
    with suppress(TimeoutError):
        async with asyncio.timeout(BODY_SECONDS):
            while (await receive()).get("more_body"):
                pass
    await Refusal(
        503,
        "training",
        "A training run uses the GPU; nothing is served until it has ended.",
        hint="try again later",
        retry_after=RETRY_SECONDS,
    ).send(send)


class StandIn:
    """The answerer; open and close it as often as you like.

    Args:
        host: address that the engine listens on.
        port: of the engine.
    """

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._server: Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Answer from now on; where the port is taken, say so in the log and go without."""
        if self._task:
            return
        try:
            listener = self.listen()
        except OSError as error:
            facts = {"port": self.port, "reason": str(error)}
            logger.warning("nobody answers while the GPU is lent", extra=facts)
            return
        config = uvicorn.Config(
            refuse,
            lifespan="off",
            ws="none",
            log_config=None,
            log_level="warning",  # its start and stop are no news of the service's
            access_log=False,
            timeout_graceful_shutdown=CLOSE_SECONDS,
        )
        server = self._server = Server(config)
        task = self._task = asyncio.create_task(server.serve(sockets=[listener]))
        # Polled: uvicorn has a flag for it, no event.
        while not server.started and not task.done():  # noqa: ASYNC110
            await asyncio.sleep(POLL_SECONDS)

    def listen(self) -> socket.socket:
        """Return a socket on the engine's address. Raises OSError."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        both = self.host == "::" and socket.has_dualstack_ipv6()
        return socket.create_server((self.host, self.port), family=family, dualstack_ipv6=both)

    async def close(self) -> None:
        """Let go of the port."""
        if self._server and self._task:
            self._server.should_exit = True
            await asyncio.wait({self._task})
        self._server = self._task = None
