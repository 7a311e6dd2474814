"""Messages for which there is no place."""

from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI

from fakes.running import running
from fakes.serving_process import until
from fakes.stack import HELD, Stack
from ui.app import create_app
from ui.config import UiSettings

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*no_silent_downcasting"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]

# The box, three columns, the style, three models, the own prompt, four that sample, the language.
INPUTS = 14


@pytest.fixture
async def app(stack: Stack) -> FastAPI:
    """A page with room for one reply, and for one message that waits."""
    told = {"UI_CONCURRENT_CHATS": "1", "UI_QUEUE_SIZE": "1"}
    return create_app(UiSettings.from_environ(stack.urls | told))


@pytest.fixture
def page(app: FastAPI) -> Iterator[str]:
    """It, served."""
    with running(app) as url:
        yield url


def sample(app: FastAPI, name: str, **labels: str) -> float:
    """Return a metric's value."""
    return float(app.state.registry.get_sample_value(name, labels) or 0.0)


def ask(page: str, model: str = "") -> int:
    """Ask as a program does over plain HTTP; return the status."""
    asked = {"data": ["我累了", "gentle", model, 0.4, 64, None, "en"]}
    return httpx.post(f"{page}/gradio_api/call/chat", json=asked).status_code


def test_message_that_finds_no_place_is_rejected(app: FastAPI, page: str, stack: Stack) -> None:
    """One is answered, one waits, and two are turned away, each counted for its model."""
    stack.delay = HELD
    assert ask(page) == 200
    until(lambda: stack.streaming == 1, 30)
    assert ask(page) == 200
    assert sample(app, "ui_queue_length") == 1
    assert (ask(page), ask(page, "base")) == (503, 503)
    for model in ("tuned", "base"):
        labels = {"model": model, "outcome": "rejected"}
        assert sample(app, "ui_chat_requests_total", **labels) == 1
    stack.delay = 0.0
    ok = {"model": "tuned", "outcome": "ok"}
    until(lambda: sample(app, "ui_chat_requests_total", **ok) == 2, 30)
    assert sample(app, "ui_queue_length") == 0


def test_comparison_that_finds_no_place_counts_twice(app: FastAPI, page: str, stack: Stack) -> None:
    """Two replies were asked for: one of the base, one of the tuned model."""
    stack.delay = HELD
    assert ask(page) == 200
    until(lambda: stack.streaming == 1, 30)
    assert ask(page) == 200
    assert compare(page) == 503
    for model in ("tuned", "base"):
        labels = {"model": model, "outcome": "rejected"}
        assert sample(app, "ui_chat_requests_total", **labels) == 1


def compare(page: str) -> int:
    """Send a question as the tab does that compares; return the status."""
    event = next(
        each
        for each in httpx.get(f"{page}/config").json()["dependencies"]
        if len(each["inputs"]) == INPUTS and each["queue"] is not False
    )
    columns, sampling = [[], [], []], ["", 0.4, 1, 64, None]
    data = ["我累了", *columns, "gentle", "base", "tonesmith", "-", *sampling, "zh"]
    assert len(data) == INPUTS
    asked = {"data": data, "fn_index": event["id"], "session_hash": "page-1"}
    return httpx.post(f"{page}/gradio_api/queue/join", json=asked).status_code
