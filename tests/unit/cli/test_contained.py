"""Commands against services that only containers reach: a fake engine, a real service behind it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fakes.docker_engine import FakeDockerEngine
from fakes.running import running
from fakes.tonesmith_services import FakeServices
from tonesmith.app import run

from .conftest import Called

TOKEN, KEY = "the-token", "the-key"
INSIDE = ("datagen:8001", "trainer:8002", "serving:8000", "serving:8010")


def served(fake: FakeServices) -> Starlette:
    """Return the fake services as an app that a server can run."""

    async def answer(request: Request) -> Response:
        sent = httpx.Request(
            request.method,
            str(request.url),
            headers=dict(request.headers),
            content=await request.body(),
        )
        found = fake.handle(sent)
        return Response(found.content, found.status_code, {"Content-Type": "text/event-stream"})

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST", "PUT"])])


@dataclass
class Place:
    """A folder, an engine and the services behind it."""

    engine: FakeDockerEngine
    fake: FakeServices
    capsys: pytest.CaptureFixture[str]
    listening: set[str] = field(default_factory=set)

    def call(self, *arguments: str, **environ: str) -> Called:
        """Run a command."""
        environ = {"DOCKER_HOST": self.engine.host} | environ
        code = run(arguments, environ=environ, listens=lambda url: url in self.listening)
        written = self.capsys.readouterr()
        return Called(code, written.out, written.err)


@pytest.fixture
def place(
    docker: FakeDockerEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Place]:
    """A compose project whose services are reached from inside only."""
    monkeypatch.chdir(tmp_path)
    fake = FakeServices()
    with running(served(fake)) as url:
        port = httpx.URL(url).port
        assert port
        for service in ("ui", "datagen", "trainer-gpu", "serving"):
            docker.add("tonesmith", service)
        for name in (*INSIDE, "127.0.0.1:7860"):
            docker.names[name] = ("127.0.0.1", port)
        for name, secret in (("api_token", TOKEN), ("serving_api_key", KEY)):
            docker.files[f"/run/keys/{name}"] = tmp_path / name
            (tmp_path / name).write_text(f"{secret}\n")
        yield Place(docker, fake, capsys)


def headers_of(place: Place, path: str) -> Any:
    """Return the headers of the last request to `path`."""
    return [sent for sent in place.fake.requests if sent.url.path == path][-1].headers


def test_job_is_followed_through_the_relay(place: Place) -> None:
    """Generation, training and evaluation work as ever, with the containers' own token."""
    assert place.call("generate", "--json").json["id"] == "demo-1"
    assert headers_of(place, "/datasets")["authorization"] == f"Bearer {TOKEN}"
    assert place.call("train", "--dataset", "demo-1").code == 0


def test_chat_uses_the_key_of_the_containers(place: Place) -> None:
    """The reply is streamed through the relay."""
    called = place.call("chat", "-m", "hello")
    assert called.out.strip() == "Well, sleep. no rush."
    assert headers_of(place, "/v1/chat/completions")["authorization"] == f"Bearer {KEY}"


def test_token_of_the_user_wins(place: Place, tmp_path: Path) -> None:
    """Who names a file means it."""
    (tmp_path / "mine").write_text("mine")
    assert place.call("styles", "list", API_TOKEN_FILE=str(tmp_path / "mine")).code == 0
    assert headers_of(place, "/styles")["authorization"] == "Bearer mine"


def test_status_shows_the_containers(place: Place) -> None:
    """All four services, each with what the engine says of its container."""
    found = place.call("status", "--json").json["services"]
    assert list(found) == ["datagen", "trainer", "serving", "ui"]
    assert found["trainer"]["url"] == "trainer:8002 in tonesmith"
    assert found["trainer"]["container"] == {
        "state": "running",
        "health": "healthy",
        "said": "Up 2 minutes (healthy)",
    }
    assert "Up 2 minutes" in place.call("status").out


def test_service_that_is_down_inside_is_named_with_the_reason(place: Place) -> None:
    """And the next step is its log."""
    place.engine.names["trainer:8002"] = ("127.0.0.1", 1)
    called = place.call("status")
    assert called.code == 3
    assert "refused" in called.out.replace("\n", "")
    assert "tonesmith logs trainer" in called.err
    called = place.call("train", "--dataset", "demo-1")
    assert called.code == 3
    assert "nobody answers at trainer:8002 in tonesmith" in called.err


def test_report_is_saved_where_a_browser_finds_it(place: Place, tmp_path: Path) -> None:
    """The containers publish only the page; the report comes along."""
    page = "GET /evaluations/evaluation-1/report.html"
    place.fake.answers[page] = lambda _: httpx.Response(200, text="<html>")
    called = place.call("evaluate", "--dataset", "demo-1")
    assert "var/reports/evaluation-1.html" in called.err
    assert (tmp_path / "var/reports/evaluation-1.html").read_text() == "<html>"


def test_import_goes_into_the_volume_of_the_containers(place: Place, tmp_path: Path) -> None:
    """The folder of this machine is not theirs; a missing file is told as ever."""
    told = {"dataset_id": "mine-1", "accepted": 1, "rejected": {}}
    place.fake.answers["POST /datasets/import"] = lambda _: httpx.Response(200, json=told)
    (tmp_path / "rows.json").write_text("[]")
    assert place.call("import", "rows.json", "--json").json["dataset_id"] == "mine-1"
    assert not (tmp_path / "var").exists()
    assert place.call("import", "none.json").code == 2


def test_stored_card_tells_where_it_went(place: Place) -> None:
    """Two stacks on one machine are not mixed up."""
    shipped = Path(__file__).parents[3] / "services" / "datagen" / "styles" / "tsundere.yaml"
    assert "at datagen:8001 in tonesmith" in place.call("styles", "put", str(shipped)).out


def test_other_project_is_found_by_its_name(place: Place) -> None:
    """TONESMITH_PROJECT says which; this one's containers are then nobody's business."""
    place.call("styles", "list", TONESMITH_PROJECT="other")  # asks the usual port of this machine
    assert place.engine.execs == []
    assert place.call("styles", "list", TONESMITH_PROJECT="Not A Name").code == 2


def test_embedded_stack_comes_first(place: Place) -> None:
    """Where a local program listens, nothing is run in a container, whatever it answers."""
    place.listening.add("http://127.0.0.1:8001")
    place.call("styles", "list")
    assert place.engine.execs == []


def test_nothing_of_a_call_is_left_inside(place: Place) -> None:
    """Every program that was run in a container has ended."""
    assert place.call("status").code == 0
    assert place.engine.processes
    for process in place.engine.processes:
        assert process.wait(20) is not None
