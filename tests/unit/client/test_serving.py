"""The clients of serving: chat, streamed and whole, and the launcher's status."""

import json
from collections.abc import Iterator

import pytest

from client.errors import ServiceError
from client.serving import LauncherClient, ServingClient
from contracts.sample import Message
from fakes.tonesmith_services import CHUNKS, FakeServices, error, events

ASKED = [Message(role="user", content="How?")]


@pytest.fixture
def fake() -> FakeServices:
    return FakeServices()


@pytest.fixture
def serving(fake: FakeServices) -> Iterator[ServingClient]:
    with ServingClient("http://127.0.0.1:8000", token="key", transport=fake.transport) as client:
        yield client


def test_models_are_names(serving: ServingClient) -> None:
    """The names that a request may ask for."""
    assert serving.models() == ["base", "tonesmith"]


def test_reply_is_streamed_in_pieces(fake: FakeServices, serving: ServingClient) -> None:
    """Chunks without text are passed over; the request asked for a stream."""
    assert list(serving.stream_chat("tonesmith", ASKED, seed=3)) == CHUNKS
    body = json.loads(fake.requests[0].content)
    assert body["stream"] is True
    assert body["seed"] == 3
    assert body["messages"] == [{"role": "user", "content": "How?"}]


def test_whole_reply_is_text(fake: FakeServices, serving: ServingClient) -> None:
    """Without a stream the reply comes at once; no seed is sent unless given."""
    assert serving.chat("tonesmith", ASKED) == "".join(CHUNKS)
    assert "seed" not in json.loads(fake.requests[0].content)


def test_unknown_model_is_refused(fake: FakeServices, serving: ServingClient) -> None:
    """A refusal reaches the caller before the first piece."""
    fake.answers["POST /v1/chat/completions"] = lambda _: error(404, "404", "no model x")
    with pytest.raises(ServiceError, match="no model x"):
        next(serving.stream_chat("x", ASKED))


def test_error_within_a_stream_is_raised(fake: FakeServices, serving: ServingClient) -> None:
    """An engine that dies in mid-reply does not look like the end of the reply."""
    fake.answers["POST /v1/chat/completions"] = lambda _: events(
        {"choices": [{"delta": {"content": "We"}}]}, {"error": {"message": "engine died"}}
    )
    pieces = serving.stream_chat("tonesmith", ASKED)
    assert next(pieces) == "We"
    with pytest.raises(ServiceError, match="engine died"):
        next(pieces)


def test_launcher_tells_what_is_loaded(fake: FakeServices) -> None:
    """The control port answers with state, loaded names and engine versions."""
    with LauncherClient("http://127.0.0.1:8010", transport=fake.transport) as launcher:
        status = launcher.status()
    assert (status.state, status.loaded, status.engine.vllm) == (
        "ready",
        ["tonesmith.v1"],
        "0.32.0",
    )
