"""How an engine ends: it refuses new requests, the open ones end, then the signal comes."""

import asyncio
import logging
from contextlib import suppress

from serving.backend import Backend
from serving.child import EngineChild
from serving.config import ServingSettings
from serving.errors import EngineError

logger = logging.getLogger(__name__)
IDLE_POLL_SECONDS = 0.1
KILL_SECONDS = 10  # after the engine's own shutdown timeout
# vLLM hears no SIGTERM while it loads its weights, and no client waits for it: measured 55 s.
START_KILL_SECONDS = 2


async def end_engine(
    child: EngineChild, backend: Backend, settings: ServingSettings, *, served: bool
) -> None:
    """Drain and stop the engine; when this returns, no process of it is left.

    Args:
        child: the engine's process.
        backend: its gate.
        settings: how long to pause, and to wait for open requests.
        served: whether it was ever ready; one that was not has nothing to drain.
    """
    if served and not child.exited:
        with suppress(EngineError):
            await backend.drain()
            await asyncio.sleep(settings.drain_seconds)
            await wait_until_idle(backend, settings.shutdown_seconds)
    code = await child.stop(
        settings.shutdown_seconds + KILL_SECONDS if served else START_KILL_SECONDS
    )
    logger.info("engine stopped", extra={"code": code})


async def wait_until_idle(backend: Backend, seconds: float) -> None:
    """Wait until no request is open, at most `seconds`. Raises EngineError."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            # Polled: the requests are open in another process.
            while (await backend.state())["inflight"]:  # noqa: ASYNC110
                await asyncio.sleep(IDLE_POLL_SECONDS)
