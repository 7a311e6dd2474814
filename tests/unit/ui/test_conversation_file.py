"""Conversations as files."""

import json
from pathlib import Path
from typing import Any

import pytest

from contracts.sample import Message
from ui.errors import StoreError
from ui.kept.conversation_file import as_file, as_json, as_markdown, imported, read_file
from ui.kept.conversations import Conversation, Conversations, Limits, Setup
from ui.kept.state import State

NAMES = ("You", "Model")


@pytest.fixture
def store(tmp_path: Path) -> Conversations:
    """An empty store."""
    return Conversations(State(tmp_path))


@pytest.fixture
def found(store: Conversations) -> Conversation:
    """A conversation with an edited question."""
    name = store.create("ann", Setup(style="gentle", top_p=0.9), "长日").id
    for question, reply in (("one", "1"), ("# two\n**", "二")):
        asked = store.append("ann", name, None, Message(role="user", content=question), ("", ""))
        said = Message(role="assistant", content=reply)
        store.append("ann", name, asked.id, said, ("base", "gentle"))
    return store.get("ann", name)


def test_file_is_read_again_as_the_same_conversation(
    store: Conversations, found: Conversation
) -> None:
    """By another person on another day: all branches, the settings, the branch that is shown."""
    text = as_json(found, store.tree("ann", found.id))
    assert "长日" in text
    copy = imported(store, "bob", read_file(text.encode()))
    again = as_json(copy, store.tree("bob", copy.id))
    first, second = json.loads(text), json.loads(again)
    for each in (first, second):
        each.pop("created")
        for line in each["messages"]:
            line.pop("at")
    assert first == second
    assert [said.content for said in store.branch("bob", copy.id)] == ["# two\n**", "二"]
    assert copy.id != found.id


def test_room_for_a_file_is_counted_once(store: Conversations) -> None:
    """All that a person keeps is added up for it: for each message that took minutes."""
    content = {"role": "user", "content": "x"}
    lines = [content | {"role": ("user", "assistant")[at % 2]} for at in range(6)]
    lines = [line | {"parent": at - 1 if at else None} for at, line in enumerate(lines)]
    file = read_file(json.dumps({"schema_version": 1, "messages": lines}).encode())
    asked: list[str] = []
    with store.state.write() as database:
        database.set_trace_callback(asked.append)
    imported(store, "ann", file)
    assert sum("sum(size)" in statement for statement in asked) == 1


def test_names_in_a_file_have_bounds() -> None:
    """They are kept beside the messages, and not counted."""
    for setup in ({"style": "x" * 201}, {"models": ["x" * 201]}):
        content = json.dumps({"schema_version": 1, "setup": setup}).encode()
        with pytest.raises(StoreError, match="bad_file"):
            read_file(content)


def test_markdown_shows_one_branch_and_what_was_said_stays_a_quote(
    store: Conversations, found: Conversation
) -> None:
    """A heading in a message is no heading of the file."""
    text = as_markdown(found, store.tree("ann", found.id), NAMES)
    assert text.startswith("# 长日\n")
    assert "**You**\n\n> # two\n> **" in text
    assert "**base · gentle**\n\n> 二\n" in text
    assert "> one" not in text


def file_with(**changes: Any) -> bytes:
    """Return a file of two messages, with changes."""
    messages = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b", "parent": 0},
    ]
    return json.dumps({"kind": "tonesmith-conversation", "messages": messages} | changes).encode()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "JSON"),
        (b"[]", "object"),
        (file_with(kind="other"), "kind"),
        (file_with(schema_version=99), "newer"),
        (file_with(messages=[{"role": "system", "content": "a"}]), "role"),
        (file_with(messages=[{"role": "user", "content": "a", "parent": 0}]), "earlier"),
        (file_with(messages=[{"role": "assistant", "content": "a"}]), "turns"),
        (file_with(messages=[{"role": "user", "content": ""}]), "content"),
        (file_with(leaf=2), "leaf"),
        (file_with(title="x" * 81), "title"),
        (b" " * ((8 << 20) + 1), "MiB"),
    ],
)
def test_file_that_is_none_is_refused_with_its_fault(content: bytes, said: str) -> None:
    """Before anything is kept."""
    with pytest.raises(StoreError) as caught:
        read_file(content)
    assert caught.value.kind == "bad_file"
    assert said in str(caught.value.values["reason"])


def test_file_without_room_is_kept_not_even_in_part(tmp_path: Path) -> None:
    """Whole or not at all."""
    store = Conversations(State(tmp_path), Limits(messages=1))
    with pytest.raises(StoreError, match="long"):
        imported(store, "ann", read_file(file_with()))
    assert not store.listed("ann")
    store.state.close()


def test_empty_conversation_is_a_file_too(store: Conversations) -> None:
    """It says nothing, and reads back."""
    made = store.create("ann", Setup())
    file = as_file(made, [])
    assert (file.messages, file.leaf) == ([], None)
    assert store.branch("ann", imported(store, "ann", file).id) == []
