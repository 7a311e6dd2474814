"""The clients of the other services."""

import json
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry

from contracts.sample import Message
from serving.engine.bodies import parse_body
from ui.config import UiSettings
from ui.errors import ProblemError
from ui.metrics import UiMetrics
from ui.upstream.backend import Backend
from ui.upstream.serving_calls import ChatRequest

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
        await backend.serving.models()
    assert caught.value.kind == kind
    assert "Traceback" not in caught.value.detail
    await backend.close()


async def test_request_carries_only_what_the_gate_allows() -> None:
    """No chat template, no extras: a plain chat, with the tokens counted at its end."""
    seen: list[httpx.Request] = []
    backend = answering(httpx.Response(200, text="data: [DONE]\n\n"), seen)
    assert [piece async for piece in backend.serving.chat(REQUEST)] == []
    plain = {"model", "messages", "temperature", "max_tokens", "stream", "stream_options"}
    assert set(REQUEST.body()) == plain
    assert parse_body("/v1/chat/completions", json.dumps(REQUEST.body()).encode(), 64)
    assert "authorization" not in seen[0].headers
    await backend.close()


async def test_key_goes_to_serving_only(tmp_path: Path) -> None:
    """The API key never reaches another service."""
    (tmp_path / "key").write_text("secret\n")
    seen: list[httpx.Request] = []
    transport = httpx.MockTransport(lambda request: seen.append(request) or httpx.Response(404))
    settings = UiSettings(serving_api_key_file=tmp_path / "key")
    backend = Backend(settings, UiMetrics(CollectorRegistry()), transport)
    for ask in (backend.serving.models, backend.serving.status, backend.styles.library):
        with pytest.raises(ProblemError):
            await ask()
    keys = [request.headers.get("authorization") for request in seen]
    assert keys == ["Bearer secret", None, None]
    await backend.close()


async def test_refusal_names_the_field_and_the_way_out() -> None:
    """A form shows them where they belong."""
    body = {"error": {"code": "invalid_input", "message": "no", "field": "count", "hint": "less"}}
    backend = answering(httpx.Response(422, json=body))
    with pytest.raises(ProblemError) as caught:
        await backend.datasets.calls.send("POST", "/datasets", object, {})
    assert caught.value.detail == "no"
    assert caught.value.values == {
        "status": 422,
        "code": "invalid_input",
        "field": "count",
        "hint": "less",
    }
    await backend.close()


async def test_order_carries_the_token_and_its_key(tmp_path: Path) -> None:
    """Questions show no token; an order does, with the key that makes twice as good as once."""
    (tmp_path / "token").write_text("secret\n")
    seen: list[httpx.Request] = []
    transport = httpx.MockTransport(lambda request: seen.append(request) or httpx.Response(204))
    settings = UiSettings(api_token_file=tmp_path / "token")
    backend = Backend(settings, UiMetrics(CollectorRegistry()), transport)
    for calls in (backend.styles.calls, backend.trainer.calls):
        await calls.get("/a", object, q=None, n=1)
        await calls.send("PUT", "/b", object, {"a": "好"}, key="k-1", reason=None)
        await calls.send("POST", "/c", object, b"\x89PNG")
    shown = [request.headers.get("authorization") for request in seen]
    assert shown == [None, "Bearer secret", "Bearer secret"] * 2
    asked, put, posted = seen[:3]
    assert str(asked.url) == "http://127.0.0.1:8001/a?n=1"
    assert str(put.url) == "http://127.0.0.1:8001/b"
    assert (put.headers["idempotency-key"], json.loads(put.content)) == ("k-1", {"a": "好"})
    assert (posted.content, "idempotency-key" in posted.headers) == (b"\x89PNG", False)
    await backend.close()


@pytest.mark.parametrize(
    ("status", "code", "outcome", "counted"),
    [
        (503, "training", "unavailable", None),
        (503, "draining", "unavailable", None),
        (503, "starting", "error", "http_5xx"),
        (503, "", "error", "http_5xx"),
        (429, "overloaded", "rejected", "http_4xx"),
        (400, "invalid_input", "error", "http_4xx"),
        (500, "internal_error", "error", "http_5xx"),
    ],
)
async def test_announced_refusal_is_no_failure(
    status: int, code: str, outcome: str, counted: str | None
) -> None:
    """A lent GPU and a server that ends burn no error budget; all else counts by its status."""
    backend = answering(httpx.Response(status, json={"error": {"code": code, "message": "no"}}))
    with pytest.raises(ProblemError) as caught:
        assert [piece async for piece in backend.serving.chat(REQUEST)]
    assert caught.value.outcome == outcome
    assert failures(backend) == ({("serving", counted)} if counted else set())
    await backend.close()


def failures(backend: Backend) -> set[tuple[str, str]]:
    """Return which failures of which service were counted."""
    (family,) = backend.metrics.upstream_errors.collect()
    return {
        (sample.labels["upstream"], sample.labels["kind"])
        for sample in family.samples
        if sample.value and sample.name.endswith("_total")
    }
