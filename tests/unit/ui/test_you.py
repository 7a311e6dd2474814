"""The menu of the person, and its routes: to take everything away, and to be forgotten."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from contracts.sample import Message
from fakes.running import running
from fakes.stack import Stack
from ui.access.doors import LOCAL_USER
from ui.app import create_app
from ui.config import UiSettings
from ui.kept.conversations import Setup
from ui.kept.keeping import Keeping, keeping
from ui.texts import LANGUAGES, texts_in
from ui.you import EXPORT, FORGET, WHO, you_html

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*no_silent_downcasting"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]
ZH = texts_in("zh")
BROWSER = {"accept": "text/html", "accept-language": "zh"}
EVIL = "<b>ann</b>"


@pytest.fixture(scope="module")
def app(shared_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """The page without a log-in."""
    told = {"UI_STATE_DIR": str(tmp_path_factory.mktemp("you"))}

    async def build() -> FastAPI:
        return create_app(UiSettings.from_environ(shared_stack.urls | told))

    return asyncio.run(build())


@pytest.fixture
def client(app: FastAPI) -> Iterator[httpx.Client]:
    """A browser of the one local person."""
    with running(app) as url, httpx.Client(base_url=url, headers=BROWSER) as client:
        yield client


def said(kept: Keeping, user: str) -> None:
    """Keep a question, its reply and a vote on it."""
    name = kept.conversations.create(user, Setup(style="gentle"), "hello").id
    asked = kept.conversations.append(
        user, name, None, Message(role="user", content="累吗"), ("", "")
    )
    reply = Message(role="assistant", content="歇会儿")
    answer = kept.conversations.append(user, name, asked.id, reply, ("base", "gentle"))
    kept.ballots.cast(user, name, answer.id, 1)


def test_everything_is_exported_as_one_file(app: FastAPI, client: httpx.Client) -> None:
    """All conversations of this person, and nobody else's."""
    said(app.state.kept, LOCAL_USER)
    said(app.state.kept, "somebody")
    answer = client.get(EXPORT)
    assert "attachment" in answer.headers["content-disposition"]
    (found,) = json.loads(answer.text)["conversations"]
    assert [line["content"] for line in found["messages"]] == ["累吗", "歇会儿"]


def test_wrong_name_deletes_nothing(app: FastAPI, client: httpx.Client) -> None:
    """The name is typed on purpose."""
    kept: Keeping = app.state.kept
    said(kept, LOCAL_USER)
    answer = client.post(FORGET, data={"name": "somebody else"})
    assert answer.status_code == 422
    assert ZH("you.not_forgotten") in answer.text
    assert kept.conversations.listed(LOCAL_USER)


def test_person_is_forgotten_here_whatever_datagen_does(
    app: FastAPI, client: httpx.Client, stack: Stack
) -> None:
    """Conversations and votes go; that datagen still has some is said."""
    kept: Keeping = app.state.kept
    said(kept, LOCAL_USER)
    said(kept, "somebody")
    stack.datagen_up = False
    answer = client.post(FORGET, data={"name": LOCAL_USER})
    assert answer.status_code == 503
    assert ZH("you.partly") in answer.text
    assert not kept.conversations.listed(LOCAL_USER)
    assert kept.conversations.listed("somebody")
    assert "storage" in answer.headers["clear-site-data"]


def test_another_site_cannot_send_the_form(app: FastAPI, client: httpx.Client) -> None:
    """A link or a form elsewhere deletes nothing."""
    said(app.state.kept, LOCAL_USER)
    answer = client.post(
        FORGET, data={"name": LOCAL_USER}, headers={"sec-fetch-site": "cross-site"}
    )
    assert answer.status_code == 403
    assert app.state.kept.conversations.listed(LOCAL_USER)


def test_open_page_finds_out_who_is_logged_in(client: httpx.Client) -> None:
    """After a log-in beside it."""
    assert client.get(WHO).json() == {"user": LOCAL_USER}


@pytest.mark.parametrize("tab", ["monitor", "train"])
def test_tab_has_an_address(client: httpx.Client, tab: str) -> None:
    """Its name leads to the page with that tab open; what was asked besides stays."""
    answer = client.get(f"/{tab}?lang=en")
    assert (answer.status_code, answer.headers["location"]) == (307, f"/?lang=en&tab={tab}")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("auth", "leaves"), [("none", False), ("users", True), ("header", False)])
def test_menu_says_who_is_here_and_escapes_it(language: str, auth: str, leaves: bool) -> None:
    """In every kind of log-in; only ours can be left from here."""
    html = you_html(texts_in(language), EVIL, auth, "/studio/")  # type: ignore[arg-type]
    assert EVIL not in html
    assert ('action="/studio/logout"' in html) == leaves
    assert f'href="/studio{EXPORT}"' in html


def test_forgetting_leaves_no_word_in_the_files(tmp_path: Path) -> None:
    """What was said is gone from the file and from its log of changes; twice does no harm."""
    kept = keeping(tmp_path)
    said(kept, "ann")
    assert kept.votes_waiting() == 1
    gone = kept.forget("ann")
    assert (gone.conversations, gone.votes) == (1, 1)
    assert kept.forget("ann").conversations == 0
    assert kept.votes_waiting() == 0
    words = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert "歇会儿".encode() not in words


def test_size_of_what_is_kept_is_known_and_looking_makes_no_file(tmp_path: Path) -> None:
    """Before the first use and after it."""
    kept = keeping(tmp_path / "state")
    assert kept.store().bytes == kept.votes_waiting() == 0
    assert kept.store().free > 0
    assert not kept.state.folder.exists()
    said(kept, "ann")
    assert kept.store().bytes > 4096
    assert (kept.store().waiting, kept.store().refused) == (1, 0)
