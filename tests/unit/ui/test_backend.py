"""The clients of the other services."""

from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry

from contracts.sample import Message
from ui.backend import Backend, ChatRequest
from ui.config import UiSettings
from ui.errors import ProblemError
from ui.metrics import UiMetrics

REQUEST = ChatRequest("base", (Message(role="user", content="hi"),), 0.5, 32)


def answering(response: httpx.Response, seen: list[httpx.Request] | None = None) -> Backend:
    """Return clients of a network that always answers `response`."""

    def handle(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        return response

    return Backend(UiSettings(), UiMetrics(CollectorRegistry()), httpx.MockTransport(handle))


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (httpx.Response(200, text="<html>"), "stream_broken"),
        (httpx.Response(200, json={"data": 3}), "stream_broken"),
        (httpx.Response(404, json={"error": {"message": "gone"}}), "http_4xx"),
        (httpx.Response(503, text="no"), "busy"),
        (httpx.Response(503, json={"error": {"code": "training", "message": "x"}}), "training"),
        (httpx.Response(500, text="Traceback (most recent call last)"), "http_5xx"),
    ],
)
async def test_answer_that_is_not_what_was_asked_is_a_problem(
    response: httpx.Response, kind: str
) -> None:
    """Whatever comes back, the page gets models or a problem."""
    backend = answering(response)
    with pytest.raises(ProblemError) as caught:
        await backend.served_models()
    assert caught.value.kind == kind
    assert "Traceback" not in caught.value.detail
    await backend.close()


async def test_request_carries_only_what_the_gate_allows() -> None:
    """No chat template, no extras: the body has the five fields of a plain chat."""
    seen: list[httpx.Request] = []
    backend = answering(httpx.Response(200, text="data: [DONE]\n\n"), seen)
    assert [piece async for piece in backend.chat(REQUEST)] == []
    assert set(REQUEST.body()) == {"model", "messages", "temperature", "max_tokens", "stream"}
    assert "authorization" not in seen[0].headers
    await backend.close()


async def test_key_goes_to_serving_only(tmp_path: Path) -> None:
    """The API key never reaches another service."""
    (tmp_path / "key").write_text("secret\n")
    seen: list[httpx.Request] = []
    transport = httpx.MockTransport(lambda request: seen.append(request) or httpx.Response(404))
    settings = UiSettings(serving_api_key_file=tmp_path / "key")
    backend = Backend(settings, UiMetrics(CollectorRegistry()), transport)
    for ask in (backend.served_models, backend.launcher_status, backend.styles):
        with pytest.raises(ProblemError):
            await ask()
    keys = [request.headers.get("authorization") for request in seen]
    assert keys == ["Bearer secret", None, None]
    await backend.close()
