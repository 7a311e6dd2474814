"""Tests of the containers' health check."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fakes.running import running
from kit.probe import answers

Send = Callable[[dict[str, Any]], Awaitable[None]]


def app_with(status: int) -> Callable[..., Awaitable[None]]:
    """Return an app that answers `status` to everything."""

    async def app(scope: dict[str, Any], receive: object, send: Send) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": status, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    return app


@pytest.mark.parametrize(("status", "well"), [(200, True), (503, False)])
def test_only_200_is_well(status: int, *, well: bool) -> None:
    """A service that answers something else is not."""
    with running(app_with(status)) as url:
        assert answers(f"{url}/health") is well


def test_nobody_listens() -> None:
    """No answer is no health, and no traceback."""
    assert answers("http://127.0.0.1:1/health", timeout=1) is False
