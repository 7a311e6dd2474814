"""Votes on kept replies, and how they reach datagen."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry

from contracts.sample import Message
from contracts.votes import Vote
from datagen.votes import VoteStore
from ui.config import UiSettings
from ui.errors import StoreError
from ui.kept.ballots import Ballot, Ballots
from ui.kept.conversations import Conversations, Setup
from ui.kept.courier import Courier
from ui.kept.keeping import Keeping, keeping
from ui.metrics import UiMetrics
from ui.upstream.backend import Backend

Answer = Callable[[], httpx.Response]


class Datagen:
    """A datagen with its real store of votes; `answers` come first, and then it works."""

    def __init__(self, folder: Path) -> None:
        self.store = VoteStore(folder)
        self.answers: list[Answer] = []
        self.heard: list[Vote] = []
        self.lose_answers = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer `POST /votes`."""
        assert request.headers["authorization"] == "Bearer token"
        if self.answers:
            return self.answers.pop(0)()
        vote = Vote.model_validate_json(request.content)
        self.heard.append(vote)
        self.store.add(vote)
        if self.lose_answers:
            raise httpx.ReadError("gone")
        return httpx.Response(201, json={})


@pytest.fixture
def ballots(tmp_path: Path) -> Ballots:
    """The votes of a page."""
    return keeping(tmp_path / "ui").ballots


@pytest.fixture
def datagen(tmp_path: Path) -> Datagen:
    """Who gets them."""
    return Datagen(tmp_path / "datagen")


@pytest.fixture
async def courier(tmp_path: Path, ballots: Ballots, datagen: Datagen) -> AsyncIterator[Courier]:
    """Who carries them."""
    (tmp_path / "token").write_text("token")
    told = UiSettings.from_environ({"API_TOKEN_FILE": str(tmp_path / "token")})
    backend = Backend(told, UiMetrics(CollectorRegistry()), httpx.MockTransport(datagen))
    yield Courier(ballots, backend)
    await backend.close()
    ballots.state.close()


def talked(store: Conversations, *texts: str, style: str = "gentle") -> tuple[str, list[int]]:
    """Keep a conversation; return its name and its messages."""
    name, ids = store.create("ann", Setup()).id, []
    for place, text in enumerate(texts):
        message = Message(role="assistant" if place % 2 else "user", content=text)
        asked = ("tonesmith.v1", style) if place % 2 else ("", "")
        ids.append(store.append("ann", name, ids[-1] if ids else None, message, asked).id)
    return name, ids


async def test_vote_says_what_was_asked_and_answered_and_not_by_whom(
    ballots: Ballots, courier: Courier, datagen: Datagen
) -> None:
    """The contestant, the question, what came before, the reply and its correction."""
    name, ids = talked(ballots.conversations, "hi", "hello", "I am sad", "cheer up")
    ballots.cast("ann", name, ids[-1], -1, "That sounds hard.")
    assert await courier.deliver()
    (vote,) = datagen.heard
    assert (vote.question, vote.reply, vote.correction) == (
        "I am sad",
        "cheer up",
        "That sounds hard.",
    )
    assert [(turn.user, turn.assistant) for turn in vote.history] == [("hi", "hello")]
    assert (vote.model, vote.style, vote.value) == ("tonesmith.v1", "gentle", -1)
    assert "ann" not in vote.user
    assert ballots.opaque("ann") == vote.user != ballots.opaque("bob")
    assert ballots.votes("ann", name) == {ids[-1]: (-1, "That sounds hard.")}
    assert not ballots.waiting()


async def test_vote_outlives_a_datagen_that_is_down_and_a_restart(
    tmp_path: Path, ballots: Ballots, courier: Courier, datagen: Datagen
) -> None:
    """It is sent later, in the order in which it was said."""
    name, ids = talked(ballots.conversations, "a", "b", "c", "d")
    busy = [lambda: httpx.Response(503), lambda: httpx.Response(401), lambda: httpx.Response(500)]
    datagen.answers = list(busy)
    ballots.cast("ann", name, ids[1], 1)
    ballots.cast("ann", name, ids[3], -1)
    for _ in busy:
        assert not await courier.deliver()
    ballots.state.close()
    again = keeping(tmp_path / "ui").ballots
    assert await Courier(again, courier.backend).deliver()
    assert [vote.reply for vote in datagen.heard] == ["b", "d"]
    again.state.close()


async def test_courier_goes_on_after_a_file_that_was_locked(
    ballots: Ballots, courier: Courier, datagen: Datagen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup may hold it for longer than we wait; votes are sent once it has let go."""
    monkeypatch.setattr("ui.kept.courier.LOOK_SECONDS", 0.01)
    name, ids = talked(ballots.conversations, "a", "b")
    ballots.cast("ann", name, ids[1], 1)
    waiting, failed = ballots.waiting, [sqlite3.OperationalError("database is locked")]
    heard = asyncio.Event()

    def hear() -> httpx.Response:
        heard.set()
        return httpx.Response(201, json={})

    datagen.answers = [hear]

    def locked(limit: int) -> list[Ballot]:
        if failed:
            raise failed.pop()
        return waiting(limit)

    monkeypatch.setattr(ballots, "waiting", locked)
    async with courier.running(), asyncio.timeout(30):
        await heard.wait()
    assert not failed


async def test_votes_of_who_is_forgotten_meanwhile_are_not_sent(
    tmp_path: Path, ballots: Ballots, courier: Courier, datagen: Datagen
) -> None:
    """Those that are on their way end with the one that was being sent."""
    name, ids = talked(ballots.conversations, "a", "b", "c", "d")
    ballots.cast("ann", name, ids[1], 1)
    ballots.cast("ann", name, ids[3], 1)

    def forget() -> httpx.Response:
        Keeping(ballots.state, ballots.conversations, ballots).forget("ann")
        return httpx.Response(201, json={})

    datagen.answers = [forget]
    assert await courier.deliver()
    assert not datagen.heard


async def test_vote_whose_answer_was_lost_counts_once(
    ballots: Ballots, courier: Courier, datagen: Datagen
) -> None:
    """It is sent again, and datagen knows it."""
    name, ids = talked(ballots.conversations, "a", "b")
    ballots.cast("ann", name, ids[1], 1)
    datagen.lose_answers = True
    assert not await courier.deliver()
    datagen.lose_answers = False
    assert await courier.deliver()
    assert (len(datagen.heard), datagen.store.counts().votes) == (2, 1)


async def test_vote_that_changes_while_it_waits_is_sent_as_it_is_last(
    ballots: Ballots, courier: Courier, datagen: Datagen
) -> None:
    """Also when it changes in the very moment in which it is on its way."""
    name, ids = talked(ballots.conversations, "a", "b")
    ballots.cast("ann", name, ids[1], 1)
    ballots.cast("ann", name, ids[1], -1)
    (waiting,) = ballots.waiting()
    ballots.cast("ann", name, ids[1], 0)
    ballots.sent(waiting)
    assert await courier.deliver()
    assert [vote.value for vote in datagen.heard] == [0]


async def test_refused_vote_is_kept_with_the_reason_and_holds_up_nobody(
    ballots: Ballots, courier: Courier, datagen: Datagen
) -> None:
    """The person can be told; a changed vote is tried again."""
    name, ids = talked(ballots.conversations, "a", "b", "c", "d")
    said = {"error": {"code": "x", "message": "style: no such style"}}
    datagen.answers = [lambda: httpx.Response(422, json=said)]
    ballots.cast("ann", name, ids[1], 1)
    ballots.cast("ann", name, ids[3], 1)
    assert await courier.deliver()
    assert [vote.reply for vote in datagen.heard] == ["d"]
    assert (ballots.refused("ann"), ballots.refused("bob")) == (["style: no such style"], [])
    ballots.cast("ann", name, ids[1], -1)
    assert await courier.deliver()
    assert not ballots.refused("ann")


def test_only_a_reply_in_a_style_of_ones_own_takes_a_vote(ballots: Ballots) -> None:
    """Anything else is said with the reason, and nothing is noted."""
    store = ballots.conversations
    name, ids = talked(store, "a", "b")
    plain, plain_ids = talked(store, "a", "b", style="")
    long, long_ids = talked(store, "a", "b" * 9000)
    for person, where, message, kind in [
        ("bob", name, ids[1], "unknown"),
        ("ann", name, 10**6, "unknown"),
        ("ann", name, plain_ids[1], "unknown"),
        ("ann", name, ids[0], "no_vote"),
        ("ann", plain, plain_ids[1], "no_vote"),
        ("ann", long, long_ids[1], "no_vote"),
    ]:
        with pytest.raises(StoreError, match=kind):
            ballots.cast(person, where, message, 1)
    assert not ballots.waiting()
    ballots.state.close()


async def test_page_on_which_nobody_ever_voted_leaves_the_disk_alone(
    ballots: Ballots, courier: Courier
) -> None:
    """The courier looks, and makes no file."""
    async with courier.running():
        await asyncio.sleep(0)
        assert await courier.deliver()
    assert not ballots.state.folder.exists()
