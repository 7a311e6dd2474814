"""The service as a whole, over HTTP."""

import asyncio
import json
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from gradio_client import Client
from gradio_client.exceptions import AppError

from fakes.running import running
from fakes.serving_process import until
from fakes.stack import HELD, Stack
from ui.app import create_app
from ui.config import UiSettings

# Gradio's queue sums up its own statistics with options that pandas gives up.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*no_silent_downcasting"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]


@pytest.fixture(scope="module")
def app(shared_stack: Stack) -> FastAPI:
    """The service; Gradio wants a running loop where it is built."""

    async def build() -> FastAPI:
        return create_app(UiSettings.from_environ(shared_stack.urls))

    return asyncio.run(build())


@pytest.fixture(scope="module")
def page(app: FastAPI) -> Iterator[str]:
    """The page, served."""
    with running(app) as url:
        yield url


def sample(app: FastAPI, name: str, **labels: str) -> float:
    """Return a metric's value."""
    value = app.state.registry.get_sample_value(name, labels)
    assert value is not None
    return float(value)


@pytest.fixture(scope="module")
def client(page: str) -> Client:
    """A program that talks to the page."""
    return Client(page, verbose=False)


@pytest.mark.parametrize("path", ["/health", "/ready", "/"])
def test_probes_and_page_answer(page: str, path: str) -> None:
    """Our own routes come before the page's."""
    assert httpx.get(page + path).status_code == 200


def test_published_port_has_no_metrics(page: str) -> None:
    """Nobody who can read the page can read them."""
    assert httpx.get(f"{page}/metrics").status_code == 404


def test_open_page_counts_as_a_session(app: FastAPI, page: str) -> None:
    """For as long as it holds its stream of heartbeats."""
    until(lambda: sample(app, "ui_sessions") == 0, 30)  # who came with the tests before
    with httpx.stream("GET", f"{page}/gradio_api/heartbeat/page-1") as stream:
        lines = stream.iter_lines()  # without it httpx would close the stream
        next(lines)
        assert sample(app, "ui_sessions") == 1
    until(lambda: sample(app, "ui_sessions") == 0, 30)


def test_reader_who_goes_away_is_counted(app: FastAPI, page: str, stack: Stack) -> None:
    """A page that is closed in the middle of a reply."""
    stack.delay = HELD
    before = sample(app, "ui_client_disconnects_total", model="tuned")
    with (
        httpx.stream("GET", f"{page}/gradio_api/heartbeat/page-2") as stream,
        httpx.Client() as listener,
    ):
        lines = stream.iter_lines()  # without it httpx would close the stream
        next(lines)
        data = ["我累了", "gentle", "", 0.4, 64, None, "en"]
        asked = {"data": data, "session_hash": "page-2"}
        assert httpx.post(f"{page}/gradio_api/call/chat", json=asked).status_code == 200
        heard = f"{page}/gradio_api/queue/data?session_hash=page-2"
        with listener.stream("GET", heard) as replies:
            heard_lines = replies.iter_lines()
            next(heard_lines)
            until(lambda: stack.streaming == 1, 30)
    until(lambda: stack.abandoned == 1, 30)
    until(lambda: sample(app, "ui_client_disconnects_total", model="tuned") == before + 1, 30)


def test_every_response_forbids_other_hosts(page: str) -> None:
    """The browser is told to load nothing from elsewhere."""
    for path in ("/", "/health", "/theme.css", "/none"):
        policy = httpx.get(page + path).headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "http" not in policy


def test_page_names_only_the_chat_endpoint(client: Client) -> None:
    """What the page does for itself is not an interface."""
    info = client.view_api(return_format="dict", print_info=False)
    assert isinstance(info, dict)
    assert list(info["named_endpoints"]) == ["/chat"]


def test_files_of_the_machine_are_not_served(page: str) -> None:
    """Gradio's file route opens nothing."""
    for path in ("/etc/passwd", "/proc/self/environ", __file__):
        assert httpx.get(f"{page}/gradio_api/file={path}").status_code in (403, 404)


def test_program_chats_by_name(client: Client, stack: Stack) -> None:
    """`/chat` streams the styled reply of the promoted model."""
    job = client.submit(message="我累了", style="gentle", api_name="/chat")
    pieces = list(job)
    assert pieces[-1]
    assert stack.asked[0]["model"] == "tonesmith"
    assert json.dumps(stack.asked[0]["messages"][0], ensure_ascii=False).count("system")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"message": "  "}, "say something"),
        ({"message": "a", "model": "gpt"}, "no model named gpt"),
        ({"message": "a", "style": "pirate"}, "named pirate"),
        ({"message": "a" * 4001}, "4000"),
    ],
)
def test_program_learns_what_is_wrong(
    client: Client, stack: Stack, wrong: dict[str, str], words: str
) -> None:
    """Bad input is named, with what would be right."""
    with pytest.raises(AppError, match=words):
        client.predict(**wrong, api_name="/chat")
    assert not stack.asked


def test_program_is_told_in_words_when_serving_fails(client: Client, stack: Stack) -> None:
    """An error of serving arrives as a sentence, in the asked language."""
    stack.refuse = (500, "engine died")
    with pytest.raises(AppError, match="engine died"):
        client.predict(message="a", language="zh", api_name="/chat")


def test_program_is_told_who_has_the_gpu(client: Client, stack: Stack) -> None:
    """A training run is no fault of serving, and has a name."""
    stack.state, stack.holder = "lent", "r-1"
    with pytest.raises(AppError, match=r"A training run \(r-1\) uses the GPU"):
        client.predict(message="a", api_name="/chat")
