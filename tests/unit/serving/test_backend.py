"""The launcher's calls to the engine."""

import httpx
import pytest

from serving.backend import Backend
from serving.errors import EngineError


def refusing(request: httpx.Request) -> httpx.Response:
    """Nobody listens."""
    raise httpx.ConnectError("refused", request=request)


async def test_silent_engine_is_an_engine_error() -> None:
    """Whatever httpx raises becomes one error that names the route."""
    async with Backend("http://engine", "t", transport=httpx.MockTransport(refusing)) as backend:
        assert not await backend.healthy()
        with pytest.raises(EngineError, match="/internal/inflight"):
            await backend.state()


async def test_unexpected_answer_is_quoted() -> None:
    """Status and the beginning of the answer are in the message."""
    answer = httpx.MockTransport(lambda _: httpx.Response(500, text="x" * 5000))
    async with Backend("http://engine", "t", transport=answer) as backend:
        assert not await backend.healthy()
        with pytest.raises(EngineError, match="500 xxx") as caught:
            await backend.metrics()
    assert len(str(caught.value)) < 400


async def test_token_travels_with_every_call() -> None:
    """The gate knows the launcher by it."""
    seen: list[str] = []

    def note(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["x-tonesmith-token"])
        return httpx.Response(200, json={})

    async with Backend("http://engine", "secret", transport=httpx.MockTransport(note)) as backend:
        await backend.drain()
        await backend.healthy()
    assert seen == ["secret", "secret"]
