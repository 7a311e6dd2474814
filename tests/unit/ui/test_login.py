"""The whole page behind a log-in: a real server, a real Gradio client, a real users file."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from gradio_client import Client
from gradio_client.exceptions import AuthenticationError
from starlette.routing import Mount

from fakes.running import running
from fakes.stack import Stack
from ui.access.accounts import hashed
from ui.access.login import PAIR_TRIES, local_path
from ui.app import create_app
from ui.config import UiSettings

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*no_silent_downcasting"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]
PASSWORD = "correct horse"
BROWSER = {"accept": "text/html"}


@pytest.fixture(scope="module")
def app(shared_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """The page with two people in its users file."""
    folder = tmp_path_factory.mktemp("login")
    lines = [f"{name}:{hashed(PASSWORD + name, 10)}\n" for name in ("ann", "bob", "eve")]
    (folder / "users").write_text("".join(lines))
    told = {"UI_AUTH": "users", "UI_USERS_FILE": str(folder / "users"), "UI_HOST": "0.0.0.0"}
    told["UI_STATE_DIR"] = str(folder / "state")

    async def build() -> FastAPI:
        return create_app(UiSettings.from_environ(shared_stack.urls | told))

    return asyncio.run(build())


@pytest.fixture(scope="module")
def page(app: FastAPI) -> Iterator[str]:
    """It, served."""
    with running(app) as url:
        yield url


@contextmanager
def entered(page: str, name: str) -> Iterator[httpx.Client]:
    """Log in as a browser does; yield what has the cookie."""
    form = {"username": name, "password": PASSWORD + name, "next": "/?lang=zh"}
    with httpx.Client(base_url=page) as client:
        answer = client.post("/login", data=form, headers=BROWSER)
        assert (answer.status_code, answer.headers["location"]) == (303, "/?lang=zh")
        yield client


def unfolded(routes: Sequence[Any]) -> Iterator[Any]:
    """Yield routes, those of included routers too."""
    for route in routes:
        if hasattr(route, "path"):
            yield route
        else:
            yield from unfolded(route.original_router.routes)


def gradio_routes(app: FastAPI) -> set[tuple[str, str]]:
    """Return every route of Gradio's app, with something in place of its parameters."""
    mounted = next(route.app for route in app.routes if isinstance(route, Mount))
    found = set()
    for route in unfolded(mounted.routes):
        path = "/".join("x" if "{" in part else part for part in str(route.path).split("/"))
        found |= {(method, path) for method in getattr(route, "methods", None) or ["GET"]}
    return found


def test_no_route_answers_who_is_nobody(app: FastAPI, page: str) -> None:
    """Page, config, queue, streams, files, uploads: whatever Gradio has, now or later."""
    routes = gradio_routes(app)
    assert len(routes) > 30
    with httpx.Client(base_url=page) as client:
        for method, path in sorted(routes):
            if path.rstrip("/") in ("/login", "/logout"):
                continue
            answer = client.request(method, path)
            assert answer.status_code == 401, (method, path)


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_probes_stay_open(page: str, path: str) -> None:
    """Who watches the service has no password."""
    assert httpx.get(page + path).status_code == 200


def test_websocket_of_nobody_is_refused(page: str) -> None:
    """Before it is accepted."""
    headers = {
        "connection": "upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    answer = httpx.get(f"{page}/gradio_api/queue/join", headers=headers)
    assert answer.status_code in (401, 403)


def test_browser_is_shown_the_way_in_and_goes_on_from_there(page: str) -> None:
    """It comes back to where it wanted to go."""
    answer = httpx.get(page, params={"lang": "zh"}, headers=BROWSER)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=/%3Flang%3Dzh"
    form = httpx.get(page + answer.headers["location"], headers={"accept-language": "zh-CN"})
    assert (form.status_code, 'lang="zh"' in form.text) == (200, True)
    assert "no-store" in form.headers["cache-control"]
    with entered(page, "ann") as client:
        assert client.get("/", headers=BROWSER).status_code == 200
        assert client.get("/login").status_code == 303


def test_wrong_password_is_said_in_the_readers_language(page: str) -> None:
    """And not which of the two was wrong."""
    said = []
    for name in ("ann", "nobody"):
        form = {"username": name, "password": "wrong"}
        answer = httpx.post(f"{page}/login?lang=en", data=form, headers=BROWSER)
        assert (answer.status_code, "set-cookie" in answer.headers) == (401, False)
        said.append(answer.text)
    assert said[0] == said[1]
    assert 'role="alert">Name or password is wrong.' in said[0]


def test_guessing_ends_soon_and_says_when_to_go_on(page: str) -> None:
    """Even the right password has to wait then; other people are not touched."""
    right = {"username": "eve", "password": PASSWORD + "eve"}
    for _ in range(PAIR_TRIES[0]):
        assert httpx.post(f"{page}/login", data=right | {"password": "x"}).status_code == 401
    answer = httpx.post(f"{page}/login", data=right)
    assert (answer.status_code, 0 < int(answer.headers["retry-after"]) <= 60) == (429, True)
    with entered(page, "bob") as client:
        assert client.get("/config").status_code == 200


def test_form_that_is_no_form_is_refused(page: str) -> None:
    """Too long a body is not read; an empty one is nobody."""
    assert httpx.post(f"{page}/login", content=b"x" * 5000).status_code == 413
    assert httpx.post(f"{page}/login", content=b"\xff\xfe").status_code == 401


def test_log_out_ends_the_session_for_copies_too(page: str) -> None:
    """What the page kept in the browser is cleared."""
    with entered(page, "ann") as client:
        kept = dict(client.cookies)
        answer = client.post("/logout", headers=BROWSER)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
        assert '"storage"' in answer.headers["clear-site-data"]
    assert httpx.get(f"{page}/config", cookies=kept).status_code == 401


def test_another_site_changes_nothing(page: str) -> None:
    """Neither with the cookie of who is logged in, nor by logging them in as somebody else."""
    foreign = {"sec-fetch-site": "cross-site"}
    with entered(page, "ann") as client:
        assert client.post("/logout", headers=foreign).status_code == 403
        assert client.get("/config").status_code == 200
    form = {"username": "ann", "password": PASSWORD + "ann"}
    assert httpx.post(f"{page}/login", data=form, headers=foreign).status_code == 403


def test_program_logs_in_as_gradios_client_does(page: str, stack: Stack) -> None:
    """With `auth=(name, password)`; a wrong one is an error that says so."""
    client = Client(page, auth=("ann", PASSWORD + "ann"), verbose=False)
    assert client.predict(message="我累了", style="gentle", api_name="/chat")
    assert stack.asked
    with pytest.raises(AuthenticationError):
        Client(page, auth=("ann", "wrong"), verbose=False)


def test_handlers_are_told_who_asks(page: str) -> None:
    """By Gradio's own way: `gr.Request.username`, and so in the page's config."""
    with entered(page, "bob") as client:
        assert client.get("/config").json()["username"] == "bob"
        assert client.get("/gradio_api/user").json() == "bob"


def test_session_of_another_person_is_out_of_reach(page: str) -> None:
    """Whoever learns its name can neither listen, nor ask, nor end anything in it."""
    with entered(page, "ann") as ann, entered(page, "bob") as bob:
        body = {"data": ["我累了", "gentle", "", 0.4, 64, None, "en"], "session_hash": "page-ann"}
        assert ann.post("/gradio_api/call/chat", json=body).status_code == 200
        tries = [
            bob.post("/gradio_api/call/chat", json=body),
            bob.post("/gradio_api/cancel", json={"session_hash": "page-ann", "fn_index": 0}),
            bob.get("/gradio_api/queue/data", params={"session_hash": "page-ann"}),
            bob.get("/gradio_api/heartbeat/page-ann"),
            bob.get("/gradio_api/call/chat/page-ann"),
            bob.post("/gradio_api/component_server", files={"session_hash": (None, "page-ann")}),
        ]
        assert [answer.status_code for answer in tries] == [403] * 5 + [415]
        with ann.stream("GET", "/gradio_api/queue/data?session_hash=page-ann") as stream:
            last = [line for line in stream.iter_lines() if "process_completed" in line][-1]
        assert json.loads(last.removeprefix("data: "))["success"]


def test_body_without_bounds_is_not_kept(page: str) -> None:
    """Neither said at once nor in pieces."""
    with entered(page, "ann") as client:
        answer = client.post("/gradio_api/call/chat", content=(b"x" * 65536 for _ in range(32)))
        assert answer.status_code == 413


def test_page_shows_who_is_here_and_the_way_out(page: str) -> None:
    """What a reader sees is the person whose cookie it is."""
    with entered(page, "ann") as client:
        found = client.get("/config").json()
        parts = found["components"]
        menu = next(part["id"] for part in parts if part["props"].get("elem_id") == "ts-person")
        load = next(each for each in found["dependencies"] if menu in each["outputs"])
        inputs = [None] * len(load["inputs"])
        body = {"data": inputs, "fn_index": load["id"], "session_hash": "page-who"}
        answer = client.post("/gradio_api/run/predict", json=body)
        said = "".join(str(part) for part in answer.json()["data"])
        assert "<b>ann</b>" in said
        assert 'action="/logout"' in said


@pytest.mark.parametrize(
    ("wanted", "path"),
    [("/?lang=zh", "/?lang=zh"), ("//evil.example", "/"), ("https://evil.example", "/")]
    + [("/\\evil.example", "/"), ("", "/"), ("/logout", "/"), ("/a\r\nb: c", "/")],
)
def test_log_in_leads_to_this_page_only(wanted: str, path: str) -> None:
    """Never to another host, nor out again."""
    assert local_path(wanted) == path


def test_page_without_a_log_in_is_closed_to_other_names(stack: Stack, tmp_path: Path) -> None:
    """It says how to come in; probes stay open."""

    async def build() -> FastAPI:
        return create_app(UiSettings.from_environ(stack.urls | {"UI_STATE_DIR": str(tmp_path)}))

    elsewhere = {"Host": "evil.example:7860", "Accept-Language": "en"}
    with running(asyncio.run(build())) as url:
        refused = httpx.get(f"{url}/config", headers=elsewhere)
        assert refused.status_code == 403
        assert "127.0.0.1" in refused.text
        assert httpx.get(f"{url}/health", headers=elsewhere).status_code == 200


def test_proxy_that_logs_people_in_is_believed_and_nobody_else(
    stack: Stack, tmp_path: Path
) -> None:
    """There is no log-in of ours then, and no session without its header."""
    told = {"UI_AUTH": "header", "UI_TRUSTED_PROXIES": "127.0.0.1", "UI_HOST": "0.0.0.0"}

    async def build(**more: str) -> FastAPI:
        return create_app(UiSettings.from_environ(stack.urls | told | more))

    with running(asyncio.run(build())) as url:
        said = httpx.get(f"{url}/config", headers={"X-Forwarded-User": "ann@example.org"})
        assert said.json()["username"] == "ann@example.org"
        for path in ("/", "/config", "/login"):
            assert httpx.get(url + path, headers=BROWSER).status_code == 401
    with running(asyncio.run(build(UI_TRUSTED_PROXIES="10.0.0.5"))) as url:
        forged = {"X-Forwarded-User": "ann", "X-Forwarded-For": "10.0.0.5"}
        assert httpx.get(f"{url}/config", headers=forged).status_code == 401


def test_language_of_the_log_in_can_be_changed_and_where_to_go_is_kept(page: str) -> None:
    """A deep link survives the log-in, in whichever language it is read."""
    answer = httpx.get(f"{page}/login?next=/%3Ftab%3Dmonitor&lang=en", headers=BROWSER)
    assert 'href="/login?lang=zh&amp;next=/%3Ftab%3Dmonitor"' in answer.text
    assert 'aria-current="true">English' in answer.text


def test_refused_log_ins_are_counted(page: str, app: FastAPI) -> None:
    """By reason, without a name."""

    def counted() -> float:
        value = app.state.registry.get_sample_value("ui_logins_failed_total", {"reason": "wrong"})
        return float(value or 0)

    before = counted()
    form = {"username": "ghost-of-a-metric", "password": "x"}
    assert httpx.post(f"{page}/login", data=form).status_code == 401
    assert counted() == before + 1


def test_open_page_whose_log_in_ran_out_is_told_so(page: str) -> None:
    """401 for what the page asks; the way back says that the other page goes on."""
    assert httpx.get(f"{page}/you/who").status_code == 401
    with entered(page, "ann") as client:
        assert client.get("/you/who").json() == {"user": "ann"}
        assert client.get("/you/back", headers=BROWSER).status_code == 200
