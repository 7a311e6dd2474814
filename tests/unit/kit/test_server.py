"""Running a service until a signal comes."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.responses import StreamingResponse

from kit.server import Drain, Server, no_drain, run

# A second is promised; a machine that does something else as well may take its time. What would
# have to be waited for otherwise takes a minute, or for ever.
SOON_SECONDS = 30.0


class Service:
    """A service with one endless stream, served in the background."""

    def __init__(self, grace_seconds: int) -> None:
        self.ended = False
        self.app = FastAPI(lifespan=self.lifespan)
        self.app.get("/health")(lambda: "ok")
        self.app.get("/stream")(self.stream)
        config = uvicorn.Config(
            self.app, port=0, log_config=None, timeout_graceful_shutdown=grace_seconds
        )
        self.server = Server(config)

    @property
    def url(self) -> str:
        """Its address, once it is started."""
        return f"http://127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}"

    @asynccontextmanager
    async def lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        """Note that the lifespan ended."""
        yield
        self.ended = True

    async def stream(self) -> StreamingResponse:
        """Answer without end."""

        async def lines() -> AsyncIterator[str]:
            while True:
                yield "line\n"
                await asyncio.sleep(0.01)

        return StreamingResponse(lines())


@asynccontextmanager
async def running(service: Service, drain: Drain = no_drain) -> AsyncIterator[asyncio.Task[None]]:
    """Run the service, as `serve` does, with one reader of its stream; yield what runs it."""
    task = asyncio.create_task(run(service.server, drain))
    # Polled: uvicorn has a flag for it, no event.
    while not service.server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=service.url))
        stream = await stack.enter_async_context(client.stream("GET", "/stream"))
        lines = stream.aiter_bytes()
        await anext(lines)
        yield task
        await lines.aclose()


async def ended(task: asyncio.Task[None]) -> float:
    """Wait until the service has ended; return how long that took."""
    started = time.monotonic()
    await asyncio.wait_for(asyncio.shield(task), SOON_SECONDS)
    return time.monotonic() - started


async def test_service_answers_while_it_drains() -> None:
    """The port stays open until the drain is over; then all ends as ever."""
    service, over = Service(grace_seconds=0), asyncio.Event()
    async with running(service, over.wait) as task:
        signal.raise_signal(signal.SIGTERM)
        await asyncio.sleep(0.15)
        async with httpx.AsyncClient(base_url=service.url) as client:
            assert (await client.get("/health")).status_code == 200
        assert not task.done()
        over.set()
        await ended(task)
    assert service.ended


async def test_port_closes_at_once_without_a_drain() -> None:
    """Who has nothing to end first lets nobody in, and gives open requests their grace."""
    service = Service(grace_seconds=60)
    async with running(service) as task, httpx.AsyncClient(base_url=service.url) as client:
        signal.raise_signal(signal.SIGTERM)
        async with asyncio.timeout(SOON_SECONDS):
            while service.server.servers[0].is_serving():  # noqa: ASYNC110 there is no event
                await asyncio.sleep(0.01)
        with pytest.raises(httpx.ConnectError):
            await client.get("/health")
        assert not task.done()
    await ended(task)
    assert service.ended


@pytest.mark.parametrize("draining", [True, False])
async def test_second_signal_ends_at_once(draining: bool) -> None:
    """Neither a drain nor an open request is waited for."""
    service = Service(grace_seconds=60)
    async with running(service, asyncio.Event().wait if draining else no_drain) as task:
        signal.raise_signal(signal.SIGTERM)
        await asyncio.sleep(0.25)
        signal.raise_signal(signal.SIGINT)
        assert await ended(task) < SOON_SECONDS


async def test_fault_in_the_drain_is_no_reason_to_stay() -> None:
    """The service ends, and the fault is not hidden."""

    async def broken() -> None:
        raise RuntimeError("a bug")

    service = Service(grace_seconds=0)
    async with running(service, broken) as task:
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(RuntimeError, match="a bug"):
            await ended(task)
    assert service.ended
