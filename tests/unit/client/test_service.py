"""One service behind HTTP: tokens, validated answers, translated failures."""

import httpx
import pytest

from client.errors import ServiceDownError, ServiceError
from client.service import Service
from fakes.tonesmith_services import FakeServices, error, events

URL = "http://127.0.0.1:8001/"


@pytest.fixture
def fake() -> FakeServices:
    return FakeServices()


def test_token_travels_as_bearer(fake: FakeServices) -> None:
    """A service with a token gets it in every request."""
    with Service(URL, token="secret", transport=fake.transport) as service:
        service.get("/health", dict[str, str])
    assert fake.requests[0].headers["Authorization"] == "Bearer secret"


def test_open_query_values_are_left_out(fake: FakeServices) -> None:
    """An option that nobody gave is not sent as the text None."""
    with Service(URL, transport=fake.transport) as service:
        service.get("/health", dict[str, str], style=None, limit=5)
    assert str(fake.requests[0].url.query, "ascii") == "limit=5"


def test_refusal_becomes_service_error(fake: FakeServices) -> None:
    """Status and body of an error response are kept."""
    fake.answers["POST /runs"] = lambda _: error(422, "invalid_input", "bad", field="recipe")
    with Service(URL, transport=fake.transport) as service, pytest.raises(ServiceError) as caught:
        service.post("/runs", dict[str, str], {})
    assert (caught.value.status, caught.value.body.field) == (422, "recipe")


@pytest.mark.parametrize("failure", [httpx.ConnectError, httpx.ReadTimeout, httpx.ReadError])
def test_broken_connection_becomes_service_down(
    fake: FakeServices, failure: type[httpx.TransportError]
) -> None:
    """Whatever breaks on the way, the caller hears one error with the address."""

    def broken(request: httpx.Request) -> httpx.Response:
        raise failure("", request=request)

    fake.answers["GET /health"] = broken
    with Service(URL, transport=fake.transport) as service, pytest.raises(ServiceDownError) as hit:
        service.get("/health", dict[str, str])
    assert hit.value.url == "http://127.0.0.1:8001"
    assert failure.__name__ in hit.value.reason


def test_events_yield_their_data(fake: FakeServices) -> None:
    """Comments and other fields of a stream are passed over."""
    fake.answers["GET /stream"] = lambda _: httpx.Response(
        200, text=": hello\n\nevent: x\ndata: 1\n\ndata:2\n\n"
    )
    with Service(URL, transport=fake.transport) as service:
        assert list(service.events("GET", "/stream", quiet_seconds=1)) == ["1", "2"]


def test_refused_stream_becomes_service_error(fake: FakeServices) -> None:
    """An error instead of a stream is read and raised."""
    fake.answers["GET /stream"] = lambda _: error(429, "busy", "try again")
    with (
        Service(URL, transport=fake.transport) as service,
        pytest.raises(ServiceError, match="again"),
    ):
        list(service.events("GET", "/stream", quiet_seconds=1))


def test_alive_is_false_when_nobody_answers(fake: FakeServices) -> None:
    """A probe never raises."""
    with Service(URL, transport=fake.transport) as service:
        assert service.alive()
        fake.answers["GET /health"] = lambda _: error(503, "unavailable", "not yet")
        assert not service.alive()
        fake.down.add(8001)
        assert not service.alive()


def test_text_is_returned_as_it_is(fake: FakeServices) -> None:
    """A page is not JSON."""
    fake.answers["GET /report.html"] = lambda _: events("<p>")
    with Service(URL, transport=fake.transport) as service:
        assert "<p>" in service.text("/report.html")
        with pytest.raises(ServiceError):
            service.text("/nothing")


def test_readiness_lists_what_is_missing(fake: FakeServices) -> None:
    """A service that is not ready says why; any other error is quoted."""
    with Service(URL, transport=fake.transport) as service:
        assert service.readiness() == []
        answer = {"ready": False, "reasons": ["no model"]}
        fake.answers["GET /ready"] = lambda _: httpx.Response(503, json=answer)
        assert service.readiness() == ["no model"]
        fake.answers["GET /ready"] = lambda _: error(500, "internal_error", "a bug")
        assert service.readiness() == ["a bug"]
