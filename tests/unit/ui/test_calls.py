"""Answers that are no JSON: taken whole, and never more than a page may hold."""

from collections.abc import Callable

import httpx
import pytest
from prometheus_client import CollectorRegistry

from ui.errors import ProblemError
from ui.metrics import UiMetrics
from ui.upstream.calls import Calls

Answer = Callable[[httpx.Request], httpx.Response]


def calls(answer: Answer) -> Calls:
    """Return calls to a service that answers so."""
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return Calls(http, UiMetrics(CollectorRegistry()), "datagen", "http://datagen")


async def test_text_is_returned_as_it_is() -> None:
    """Broken signs are replaced; what is asked for travels in the address."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.params["from"] == "3"
        assert "until" not in request.url.params
        return httpx.Response(200, content="口吻".encode() + b"\xff")

    found = await calls(answer).text("/x", **{"from": 3, "until": None})
    assert found == "口吻\ufffd"


async def test_answer_that_is_too_long_is_refused() -> None:
    """No more than the limit is ever held."""
    service = calls(lambda _: httpx.Response(200, content=b"x" * 100))
    assert len(await service.content("/x", most=100)) == 100
    with pytest.raises(ProblemError) as caught:
        await service.content("/x", most=99)
    assert caught.value.kind == "stream_broken"


async def test_refusal_is_the_services_own() -> None:
    """With its words."""
    body = {"error": {"code": "not_found", "message": "there is no such report"}}
    with pytest.raises(ProblemError) as caught:
        await calls(lambda _: httpx.Response(404, json=body)).text("/x")
    assert caught.value.values["status"] == 404
    assert "no such report" in caught.value.detail


async def test_service_that_is_away_is_said_to_be() -> None:
    """As with every other call."""

    def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("away")

    with pytest.raises(ProblemError) as caught:
        await calls(answer).text("/x")
    assert caught.value.kind == "connect"
