"""Tests of what every service has: probes, metrics, error bodies, authorisation, limits."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry, Counter

from contracts.dataset import DatasetRequest
from kit import errors
from kit.app import create_service_app


def app_with(**options: Any) -> FastAPI:
    """Return an app with routes that misbehave on demand."""
    defaults = {"registry": CollectorRegistry(), "version": "1.2", "max_body_bytes": 100}
    defaults |= {"environ": {"TONESMITH_REVISION": "abc1234"}}
    app = create_service_app("testing", **defaults | options)

    @app.get("/known")
    def known() -> None:
        raise errors.StorageFullError("The volume is full.", hint="remove old datasets")

    @app.get("/bug")
    def bug() -> None:
        raise RuntimeError("password=hunter2")

    @app.post("/typed")
    def typed(body: DatasetRequest) -> str:
        return body.name

    @app.post("/raw")
    async def raw(request: Request) -> int:
        return len(await request.body())

    return app


@pytest.fixture
def client() -> Iterator[TestClient]:
    """A client that sees a 500 as a client would."""
    with TestClient(app_with(), raise_server_exceptions=False) as client:
        yield client


def test_probes_answer(client: TestClient) -> None:
    """Alive, ready, and metrics with the service's name and version."""
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/ready").json() == {"ready": True, "reasons": []}
    metrics = client.get("/metrics").text
    assert 'build_info{revision="abc1234",service="testing",version="1.2"} 1.0' in metrics
    assert "process_resident_memory_bytes" in metrics
    assert "python_gc_collections_total" in metrics


def test_metrics_are_left_out_where_they_are_exposed_elsewhere() -> None:
    """The page's port is published, and its metrics are nobody's business."""
    with TestClient(app_with(metrics=False)) as client:
        assert client.get("/metrics").status_code == 404
        assert client.get("/health").status_code == 200


def test_counter_has_no_series_of_its_creation() -> None:
    """It would double the series, and nothing reads it."""
    registry = CollectorRegistry()
    Counter("work_done", "Work.", registry=registry).inc()
    with TestClient(app_with(registry=registry)) as client:
        found = client.get("/metrics").text
    assert "work_done_total 1.0" in found
    assert "_created" not in found


def test_ready_is_503_with_reasons_when_something_is_missing() -> None:
    """Whoever waits is told for what."""
    with TestClient(app_with(ready=lambda: ["no model yet"])) as client:
        response = client.get("/ready")
    assert response.status_code == 503
    assert response.json()["reasons"] == ["no model yet"]


def test_known_error_has_its_status_and_body(client: TestClient) -> None:
    """The class says the status, the body the way out."""
    response = client.get("/known")
    assert response.status_code == 507
    assert response.json()["error"] == {
        "code": "storage_full",
        "message": "The volume is full.",
        "field": None,
        "hint": "remove old datasets",
    }


def test_bug_tells_nothing_to_the_client(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    """The details are in the log only."""
    response = client.get("/bug")
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "internal_error"
    assert "hunter2" not in response.text
    assert "hunter2" in caplog.text


@pytest.mark.parametrize("path", ["/nothing", "/known/deeper"])
def test_unknown_route_has_our_error_body(client: TestClient, path: str) -> None:
    """A 404 of the framework looks like ours."""
    response = client.get(path)
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "http_error"
    assert client.delete("/known").status_code == 405


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ('{"per_style": 0}', "per_style", "greater than or equal to 1"),
        ('{"styles": ["ok", "../up"]}', "styles.1", "must match"),
        ('{"colour": 1}', "colour", "Extra inputs"),
        ('{"per_style": 0, "turns": 0}', "per_style", "(and 1 more)"),
        ("[1]", "body", "valid dictionary"),
        ('{"name": ', "body", "no valid JSON"),
        ("", "body", "required"),
    ],
)
def test_malformed_body_names_the_field(
    client: TestClient, body: str, field: str, words: str
) -> None:
    """422 with the first field at fault and what it should be."""
    response = client.post("/typed", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 422
    error = response.json()["error"]
    assert (error["code"], error["field"]) == ("invalid_input", field)
    assert words in error["message"]


def test_refused_value_is_not_repeated(client: TestClient) -> None:
    """It may be long, or a secret."""
    secret = "hunter2" * 5
    response = client.post("/typed", json={"name": f"../{secret}"})
    assert response.status_code == 422
    assert secret not in response.text


def chunks() -> Iterator[bytes]:
    """Yield a body without a length: 40 bytes at a time."""
    for _ in range(4):
        yield b"x" * 40


@pytest.mark.parametrize("make", [lambda: b"x" * 101, chunks], ids=["length", "chunked"])
def test_large_body_is_refused(client: TestClient, make: Callable[[], Any]) -> None:
    """413 in our error body, whether or not the client says how much is coming."""
    for path in ("/raw", "/typed"):
        response = client.post(path, content=make(), headers={"content-type": "application/json"})
        assert response.status_code == 413, path
        assert "100 bytes" in response.json()["error"]["message"]


def test_body_at_the_limit_is_taken(client: TestClient) -> None:
    """The limit itself is allowed."""
    assert client.post("/raw", content=b"x" * 100).json() == 100


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Bearer ", "tok", "bearer token"])
def test_change_needs_the_token(header: str | None) -> None:
    """Reading is free on a trusted network; changing is not."""
    headers = {"authorization": header} if header else {}
    with TestClient(app_with(api_token="token")) as client:
        refused = client.post("/raw", content=b"x", headers=headers)
        assert client.get("/health").status_code == 200
    assert refused.status_code == 401
    assert refused.json()["error"]["code"] == "unauthorized"


def test_right_token_opens() -> None:
    """The bearer token as it is in the file."""
    with TestClient(app_with(api_token="token")) as client:
        allowed = client.post("/raw", content=b"x", headers={"authorization": "Bearer token"})
    assert allowed.json() == 1


def test_token_is_asked_before_the_body_is_read() -> None:
    """A stranger cannot make the service read megabytes."""
    with TestClient(app_with(api_token="token")) as client:
        assert client.post("/raw", content=b"x" * 999).status_code == 401


def test_each_error_has_a_status_and_a_code_of_its_own() -> None:
    """Programs tell errors apart by code."""
    found = errors.TonesmithError.__subclasses__()
    assert len({error.code for error in found}) == len(found) >= 7
    assert all(400 <= error.status < 600 for error in found)
