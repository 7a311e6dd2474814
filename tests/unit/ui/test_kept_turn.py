"""One question and its reply, kept as it comes."""

import asyncio
from pathlib import Path

import pytest

from ui.chat.talk import Question, Talk
from ui.errors import StoreError
from ui.kept.conversation_file import as_file
from ui.kept.conversations import CONTENT_LENGTH, Conversations, Setup
from ui.kept.kept_turn import KeptTurn
from ui.kept.scribe import Scribe, Spot
from ui.kept.state import State

ASKED = ("base", "gentle")


@pytest.fixture
def scribe(tmp_path: Path) -> Scribe:
    """Keeps the first question of a conversation."""
    return Scribe(Conversations(State(tmp_path)), Spot("ann"), "hi", Setup())


class BrokenScribe(Scribe):
    """One with a bug."""

    def ask(self) -> None:
        """Fail in a way that nobody foresaw."""
        raise ZeroDivisionError


async def test_turn_ends_for_its_reader_also_where_keeping_has_a_bug(
    talk: Talk, scribe: Scribe
) -> None:
    """Else the page would wait for ever, with a reply that is there."""
    broken = BrokenScribe(scribe.store, scribe.spot, "hi", Setup())
    question = Question("hi", ((),), None, (None,), 0.0, 16)
    turn = KeptTurn(talk, broken, question)
    async with asyncio.timeout(30):
        while not turn.ended:
            await turn.changed()
    with pytest.raises(ZeroDivisionError):
        turn.task.result()


def test_reply_that_grows_too_long_can_still_be_exported(scribe: Scribe) -> None:
    """What was kept before it did stays, as one that was cut."""
    scribe.ask()
    scribe.answer("x", ASKED, whole=False)
    with pytest.raises(StoreError, match="too_long"):
        scribe.answer("x" * (CONTENT_LENGTH + 1), ASKED, whole=True)
    store = scribe.store
    file = as_file(store.get("ann", scribe.name), store.tree("ann", scribe.name))
    assert [(line.content, line.state) for line in file.messages] == [("hi", "whole"), ("x", "cut")]
    store.state.close()
