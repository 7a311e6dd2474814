"""How often a person may ask, and how much may be sent."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from gradio import routes
from gradio_client import Client
from gradio_client.exceptions import AppError

from fakes.running import running
from fakes.stack import Stack
from ui.access.fence import IN_PATH, Owners
from ui.app import create_app
from ui.config import UiSettings
from ui.errors import StoreError
from ui.notices import store_sentence
from ui.texts import texts_in

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*no_silent_downcasting"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]
PEOPLE = ({"X-Forwarded-User": "ann"}, {"X-Forwarded-User": "bob"})


@pytest.fixture
async def app(stack: Stack, tmp_path: Path) -> FastAPI:
    """A page on which each person may ask once a minute, and send two files an hour."""
    told = {"UI_AUTH": "header", "UI_TRUSTED_PROXIES": "127.0.0.1"}
    told |= {"UI_CHATS_PER_MINUTE": "1", "UI_UPLOADS_PER_HOUR": "2", "UI_UPLOAD_MB": "1"}
    told["UI_STATE_DIR"] = str(tmp_path)
    return create_app(UiSettings.from_environ(stack.urls | told))


@pytest.fixture
def page(app: FastAPI) -> Iterator[str]:
    """It, served."""
    with running(app) as url:
        yield url


@pytest.mark.parametrize(("language", "words"), [("en", "try again in"), ("zh", "秒后再试")])
def test_who_asks_too_often_is_told_so_and_others_are_answered(
    app: FastAPI, page: str, stack: Stack, language: str, words: str
) -> None:
    """In both languages, and counted as rejected."""
    ann, bob = (Client(page, headers=headers, verbose=False) for headers in PEOPLE)
    asked = {"message": "我累了", "language": language, "api_name": "/chat"}
    assert ann.predict(**asked)
    with pytest.raises(AppError, match=words):
        ann.predict(**asked)
    assert bob.predict(**asked)
    assert len(stack.asked) == 2
    labels = {"model": "tuned", "outcome": "rejected"}
    assert app.state.registry.get_sample_value("ui_chat_requests_total", labels) == 1


def sent(page: str, person: dict[str, str], size: int) -> int:
    """Upload a file of so many bytes; return the status."""
    files = {"files": ("a.json", b"x" * size)}
    return httpx.post(f"{page}/gradio_api/upload", files=files, headers=person).status_code


def test_files_are_bounded_in_size_and_number(page: str) -> None:
    """Each person has their own share."""
    ann, bob = PEOPLE
    assert sent(page, ann, 1000) == 200
    assert sent(page, ann, (1 << 20) + 1) == 413
    assert sent(page, ann, 1) == 429
    assert sent(page, bob, 1) == 200
    assert sent(page, bob, 3 << 20) == 413


def test_files_that_were_sent_are_gone_when_the_page_ends(app: FastAPI) -> None:
    """Gradio looks for old ones while the mounted page runs, and takes the rest away at its end."""
    with running(app) as page:
        (name,) = httpx.post(
            f"{page}/gradio_api/upload", files={"files": ("a.json", b"{}")}, headers=PEOPLE[0]
        ).json()
        assert Path(name).is_file()
    assert not Path(name).exists()


def test_names_of_sessions_do_not_fill_the_memory() -> None:
    """The one that was quiet longest is free again."""
    owners = Owners(most=2)
    assert all(owners.claim(name, "ann") for name in ("a", "b", "a", "c"))
    assert owners.claim("b", "bob")
    assert not owners.claim("c", "bob")
    assert not owners.claim("d" * 129, "ann")


def test_no_name_of_a_session_shuts_others_out(page: str) -> None:
    """Nor does a stream of heartbeats without one."""
    ann, bob = PEOPLE
    cancel, join = (f"{page}/gradio_api/{path}" for path in ("cancel", "queue/join"))
    for name in ("queue", "join", "gradio_api"):
        httpx.post(cancel, json={"session_hash": name, "fn_index": 0}, headers=ann)
    httpx.get(f"{page}/gradio_api/heartbeat/", headers=ann)
    asked = {"data": [], "fn_index": 0, "session_hash": "b"}
    assert httpx.post(join, json=asked, headers=bob).status_code != 403


@pytest.mark.parametrize("path", ["call/chat", "call/v2/chat/", "queue/join", "heartbeat/"])
def test_name_of_an_endpoint_is_no_session(path: str) -> None:
    """Whoever asks it first would own it."""
    assert not IN_PATH.findall(f"/gradio_api/{path}")


def test_paths_that_name_a_session_are_known() -> None:
    """A later Gradio may have others."""
    source = Path(routes.__file__).read_text(encoding="utf-8")
    paths = re.findall(r'"(/(?!gradio_api)[^"\s]*[{](?:session_hash|event_id)[}][^"\s]*)"', source)
    assert len(paths) >= 6
    for path in paths:
        assert len(IN_PATH.findall(f"/gradio_api{path}")) == 1, path


def test_what_is_wrong_with_what_is_kept_is_said_in_both_languages() -> None:
    """With its limit, or its reason in the reader's words."""
    full = StoreError("full", limit=500)
    vote = StoreError("no_vote", reason_key="vote.no_style")
    for language in ("zh", "en"):
        texts = texts_in(language)
        assert "500" in store_sentence(texts, full)
        assert texts("vote.no_style") in store_sentence(texts, vote)
    assert (full.status, vote.status, StoreError("unknown").status) == (507, 422, 404)
