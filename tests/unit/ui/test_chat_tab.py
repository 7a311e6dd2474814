"""The tab in which one talks: what is kept of it, and what its events show."""

import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from fakes.stack import HELD, Stack
from ui.access.visitors import LOCAL_USER
from ui.catalog import Catalog
from ui.chat.screen import Screen, feedback_of, read_screen
from ui.chat.talk import Talk, history_of
from ui.config import UiSettings
from ui.drain import Drain
from ui.errors import StoreError
from ui.kept.branches import CUT, WHOLE
from ui.kept.conversation_file import ConversationFile
from ui.kept.keeping import Keeping, keeping
from ui.tabs.chat import Chat
from ui.tabs.compare import file_of, taking_turns
from ui.tabs.tab import Workbench
from ui.texts import texts_in

ZH = texts_in("zh")
CONTROLS: list[Any] = ["tsundere", "tonesmith", "", 0.4, 0.9, 64, 7, "zh"]


@pytest.fixture
def kept(tmp_path: Path) -> Keeping:
    """What the page keeps."""
    return keeping(tmp_path / "ui")


@pytest.fixture
async def chat(talk: Talk, kept: Keeping, stack: Stack) -> AsyncIterator[Chat]:
    """The tab, before the stand-ins."""
    settings = UiSettings.from_environ(stack.urls)
    with gr.Blocks(analytics_enabled=False):
        language = gr.Radio(["zh", "en"])
        with gr.Tabs() as row, gr.Tab("chat") as item:
            tab = Chat(Workbench(settings, talk, kept, language, item, row))
    yield tab
    for turn in list(tab.dialogue.turns.values()):
        await turn.leave(30)
    kept.state.close()


async def seen(events: AsyncIterator[dict[Any, Any]]) -> dict[Any, Any]:
    """Return what the page shows once an event is over."""
    shown: dict[Any, Any] = {}
    async for state in events:
        shown |= state
    return shown


def texts_on(screen: Screen) -> list[str]:
    """Return who speaks on a screen, in order."""
    return [said.role for said in screen.path]


async def asked(chat: Chat, text: str, screen: Screen | None = None) -> Screen:
    """Ask, and return what is open then."""
    shown = await seen(chat.dialogue.ask(text, screen or Screen(), *CONTROLS))
    assert isinstance(shown[chat.window.screen], Screen)
    return shown[chat.window.screen]  # type: ignore[no-any-return]


async def test_question_and_reply_are_kept_with_how_they_were_asked(
    chat: Chat, kept: Keeping, stack: Stack
) -> None:
    """The first question makes the conversation, and its title; model and style are exact."""
    screen = await asked(chat, " 我累了 ")
    question, reply = screen.path
    assert (screen.title, question.content) == ("我累了", "我累了")
    assert (reply.state, reply.style, reply.model) == (WHOLE, "tsundere", "tonesmith.v1")
    assert screen.setup.seed == 7
    assert (stack.asked[0]["top_p"], stack.asked[0]["seed"]) == (0.9, 7)
    assert read_screen(kept, LOCAL_USER, screen.id) == screen
    more = await asked(chat, "然后呢", screen)
    assert texts_on(more) == ["user", "assistant"] * 2
    assert [message["content"] for message in stack.asked[1]["messages"][1:]] == [
        *(said.content for said in screen.path),
        "然后呢",
    ]


async def test_second_reply_stands_beside_the_first(chat: Chat, stack: Stack) -> None:
    """And so does an edited question; the picker goes from one to the other."""
    screen = await asked(chat, "一")
    again = await seen(chat.dialogue.again(screen, *CONTROLS))
    (place,) = again[chat.window.screen].places
    assert (place.role, place.number, place.count) == ("assistant", 2, 2)
    assert "2/2" in again[chat.window.below]
    event: Any = SimpleNamespace(index=0, value="二")
    edited = (await seen(chat.dialogue.edit(event, screen, *CONTROLS)))[chat.window.screen]
    assert edited.path[0].content == "二"
    assert [place.count for place in edited.places] == [2]
    pick: Any = SimpleNamespace(_data={"act": "switch", "id": str(screen.path[0].id)})
    back = (await chat.desk.below(pick, edited, "zh"))[chat.window.screen]
    assert [said.content for said in back.path][0] == "一"
    assert [place.role for place in back.places] == ["user", "assistant"]


async def test_question_that_was_never_answered_is_replaced(chat: Chat, stack: Stack) -> None:
    """It stays beside the new one: nothing that was said is lost."""
    stack.refuse = (500, "engine died")
    shown = await seen(chat.dialogue.ask("一", Screen(), *CONTROLS))
    failed = shown[chat.window.screen]
    assert texts_on(failed) == ["user"]
    assert "engine died" in shown[chat.window.composer.problem]
    stack.refuse = None
    screen = await asked(chat, "二", failed)
    assert [said.content for said in screen.path][0] == "二"
    assert screen.places[0].count == 2


async def test_stopped_reply_is_kept_as_far_as_it_came(chat: Chat, stack: Stack) -> None:
    """It is marked, and takes no vote."""
    stack.delay = HELD
    shown: dict[Any, Any] = {}
    async for state in chat.dialogue.ask("我累了", Screen(), *CONTROLS):
        shown |= state
        if isinstance(state.get(chat.window.chat), list) and len(state[chat.window.chat]) == 2:
            chat.dialogue.stop()
    screen = shown[chat.window.screen]
    assert screen.path[1].state == CUT
    assert ZH("chat.cut") in shown[chat.window.below]
    like: Any = SimpleNamespace(index=1, liked=True)
    told = await chat.verdicts.vote(like, screen, "zh")
    assert ZH("vote.cut") in told[chat.window.composer.problem]


async def test_page_that_is_closed_in_mid_stream_finds_what_there_was(
    chat: Chat, kept: Keeping, stack: Stack
) -> None:
    """The iterator is closed, as Gradio does; whoever opens the conversation waits for the rest."""
    stack.delay = HELD
    events = chat.dialogue.ask("我累了", Screen(), *CONTROLS)
    async for state in events:
        (turn,) = chat.dialogue.turns.values()
        spoken = isinstance(state.get(chat.window.chat), list) and turn.reply.text
        if spoken and turn.kept:  # the disk may be slower than the model
            break
    await events.aclose()
    shown = await chat.desk.recall(turn.scribe.name, Screen(), "zh")
    assert shown[chat.window.screen].path[1].state == CUT
    assert shown[chat.window.chat]["value"][1]["content"]
    assert not chat.dialogue.turns


async def test_second_question_waits_while_a_reply_comes(chat: Chat, stack: Stack) -> None:
    """Enter is a key that is pressed twice."""
    stack.delay = HELD
    first = chat.dialogue.ask("一", Screen(), *CONTROLS)
    await anext(first)
    assert await seen(chat.dialogue.ask("二", Screen(), *CONTROLS)) == {
        chat.window.composer.box: {"__type__": "update"}
    }
    await first.aclose()


async def test_words_that_cannot_be_kept_are_given_back(
    chat: Chat, kept: Keeping, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is told, the question is in its box again, and the generation ends."""

    def full(*_: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(kept.conversations, "begun", full)
    shown = await seen(chat.dialogue.ask("我累了", Screen(), *CONTROLS))
    assert "disk is full" in shown[chat.window.composer.problem]
    assert shown[chat.window.composer.box] == "我累了"
    assert shown[chat.window.chat]["value"] == []
    assert shown[chat.window.screen].id == ""


async def test_what_is_anothers_or_unknown_opens_nothing(chat: Chat, kept: Keeping) -> None:
    """Whatever a browser remembers; no word of it is shown."""
    theirs = kept.conversations.create("bob", Screen().setup, "bob's secret")
    for name in (theirs.id, "c-none", "'; --"):
        shown = await chat.desk.recall(name, Screen(), "zh")
        assert shown[chat.window.screen] == Screen()
        assert shown[chat.window.current] == ""
        assert ZH("store.unknown") in shown[chat.window.composer.problem]
        assert "secret" not in str(shown)


async def test_conversation_that_is_opened_brings_its_settings(chat: Chat, stack: Stack) -> None:
    """The panel shows how it was asked; what is open already is left alone."""
    screen = await asked(chat, "我累了")
    shown = await chat.desk.recall(screen.id, Screen(), "zh")
    assert shown[chat.panel.seed]["value"] == 7
    assert shown[chat.panel.style]["value"] == "tsundere"
    assert len(await chat.desk.recall(screen.id, screen, "zh")) == 1


async def test_vote_is_noted_changed_and_taken_back(
    chat: Chat, kept: Keeping, stack: Stack
) -> None:
    """A correction says that the reply was not good enough; empty, it is taken back."""
    screen = await asked(chat, "我累了")
    liked: Any = SimpleNamespace(index=1, liked=True)
    shown = await chat.verdicts.vote(liked, screen, "zh")
    assert feedback_of(shown[chat.window.screen]) == ["Like"]
    assert shown[chat.window.ask]["visible"]
    gone: Any = SimpleNamespace(index=1, liked="")
    shown = await chat.verdicts.vote(gone, shown[chat.window.screen], "zh")
    assert not shown[chat.window.ask]["visible"]
    message = screen.path[1].id
    shown = await chat.verdicts.correct("抱抱你", message, shown[chat.window.screen], "zh")
    assert "抱抱你" in shown[chat.window.below]
    (ballot,) = kept.ballots.waiting()
    assert (ballot.vote.value, ballot.vote.correction) == (-1, "抱抱你")
    assert read_screen(kept, LOCAL_USER, screen.id).votes == {message: (-1, "抱抱你")}
    await chat.verdicts.correct("  ", message, shown[chat.window.screen], "zh")
    assert kept.ballots.waiting()[0].vote.correction is None


async def test_conversation_is_renamed_exported_deleted_and_brought_back(
    chat: Chat, stack: Stack
) -> None:
    """With every branch."""
    screen = await asked(chat, "我累了")
    await seen(chat.dialogue.again(screen, *CONTROLS))
    shown = await chat.desk.rename("好好休息", screen, "zh")
    screen = shown[chat.window.screen]
    made, *_ = await chat.desk.export("json", screen, "zh")
    markdown, *_ = await chat.desk.export("markdown", screen, "zh")
    assert "好好休息" in markdown
    assert "我累了" in markdown
    assert (await chat.desk.delete(screen, "zh"))[chat.window.screen] == Screen()
    listed = await chat.history.refresh("", 50, "", "zh")
    assert ZH("history.empty") in listed
    text = json.loads(made)["text"]
    shown = await chat.desk.bring_in(text.encode(), "zh")
    back = shown[chat.window.screen]
    assert (back.title, back.places[0].count) == ("好好休息", 2)
    refused = await chat.desk.bring_in(b"no json", "zh")
    assert "ts-problem" in refused[chat.window.composer.problem]


async def test_list_is_searched_and_bounded(chat: Chat, kept: Keeping) -> None:
    """Fifty at a time; what is open is marked, and titles are text."""
    for number in range(52):
        kept.conversations.create(LOCAL_USER, Screen().setup, f"<b>{number}</b>")
    newest = kept.conversations.listed(LOCAL_USER)[0]
    listed = await chat.history.refresh("", 50, newest.id, "zh")
    assert listed.count("data-id=") == 50
    assert 'data-act="more"' in listed
    assert 'aria-current="true"' in listed
    assert "<b>51" not in listed
    more: Any = SimpleNamespace(_data={"act": "more"})
    shown = await chat.desk.pick(more, "", 50, "", "zh")
    assert shown[chat.history.listed].count("data-id=") == 52
    _, found = await chat.history.found(">51<", 50, "", "zh")
    assert found.count("data-id=") == 1


async def test_page_that_ends_takes_no_new_message(chat: Chat, talk: Talk, stack: Stack) -> None:
    """It explains, and leaves the box alone."""
    talk.drain = Drain(0)
    talk.drain.deadline = 0.0
    shown = await seen(chat.dialogue.ask("一", Screen(), *CONTROLS))
    assert ZH("problem.leaving") in shown[chat.window.composer.problem]
    assert chat.window.composer.box not in shown
    assert not stack.asked


def test_column_of_a_comparison_becomes_a_conversation() -> None:
    """A question that was not answered is left out."""
    rows = [
        {"role": "user", "content": "零"},
        {"role": "user", "content": "一"},
        {"role": "assistant", "content": "甲"},
    ]
    setup = Screen().setup.model_copy(update={"models": ["base", "x"], "style": "gentle"})
    file = file_of(setup, 0, history_of(rows), Catalog())
    assert isinstance(file, ConversationFile)
    assert [line.content for line in file.messages] == ["一", "甲"]
    assert (file.title, file.setup.models) == ("一", ["base"])
    assert (file.messages[1].model, file.messages[1].style) == ("base", "gentle")
    assert taking_turns([]) == []
    rows[-1] = {"role": "assistant", "content": "x" * 32_001}
    with pytest.raises(StoreError, match="too_long"):
        file_of(setup, 0, history_of(rows), Catalog())
