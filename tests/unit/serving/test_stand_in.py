"""Who answers on the engine's port while the GPU is lent."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator

import httpx
import pytest

from fakes.serving_process import free_port
from serving.stand_in import StandIn


@pytest.fixture
async def stand_in() -> AsyncIterator[StandIn]:
    """One on a free port, closed in any case."""
    made = StandIn("127.0.0.1", free_port())
    yield made
    await made.close()


def url(stand_in: StandIn, path: str = "/v1/chat/completions") -> str:
    """Return an address below it."""
    return f"http://127.0.0.1:{stand_in.port}{path}"


def reachable(port: int) -> bool:
    """Return whether somebody listens."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/chat/completions"), ("GET", "/v1/models"), ("GET", "/health"), ("PUT", "/x")],
)
async def test_every_request_hears_that_a_run_has_the_gpu(
    stand_in: StandIn, method: str, path: str
) -> None:
    """503 in OpenAI's shape, and when to ask again."""
    await stand_in.open()
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.request(method, url(stand_in, path), json={"model": "base"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    error = answer.json()["error"]
    assert (error["code"], error["type"]) == ("training", "server_error")
    assert "training run" in error["message"]
    assert error["hint"]


async def test_large_body_is_read_before_it_is_refused(stand_in: StandIn) -> None:
    """Left unread it would reset the connection, and the client would not see the answer."""
    await stand_in.open()
    async with httpx.AsyncClient(trust_env=False) as client:
        for _ in range(3):
            answer = await client.post(url(stand_in), content=b"x" * 3_000_000)
            assert answer.status_code == 503


async def test_port_is_free_after_the_close_and_taken_again(stand_in: StandIn) -> None:
    """Open connections do not keep it; opening or closing twice does nothing."""
    for _ in range(2):
        await stand_in.open()
        await stand_in.open()
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(url(stand_in))).status_code == 503
            await stand_in.close()
            await stand_in.close()
            assert not reachable(stand_in.port)
            with socket.create_server(("127.0.0.1", stand_in.port)):
                pass


async def test_slow_sender_does_not_hold_the_port(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body that never comes is cut off when the port is needed."""
    monkeypatch.setattr("serving.stand_in.BODY_SECONDS", 3600.0)
    await stand_in.open()
    _, writer = await asyncio.open_connection("127.0.0.1", stand_in.port)
    writer.write(b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
    await writer.drain()
    await asyncio.sleep(0.05)
    async with asyncio.timeout(30):
        await stand_in.close()
    assert not reachable(stand_in.port)
    writer.close()


async def test_taken_port_is_only_a_warning(
    stand_in: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    """The GPU can be lent without an answerer."""
    with socket.create_server(("127.0.0.1", stand_in.port)), caplog.at_level(logging.WARNING):
        await stand_in.open()
    assert "nobody answers" in caplog.text
    await stand_in.close()
