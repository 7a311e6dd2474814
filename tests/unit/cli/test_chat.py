"""Talking to a model: the style's system prompt comes from the model's manifest."""

import io
import json

import httpx
import pytest

from fakes.tonesmith_services import CURRENT, MODEL, FakeServices

from .conftest import Call

REPLY = "Well, sleep. no rush."


def messages(fake: FakeServices) -> list[dict[str, str]]:
    """Return the messages of the last chat request."""
    body = json.loads(fake.requests[-1].content)
    found: list[dict[str, str]] = body["messages"]
    return found


def test_one_message_is_answered(call: Call, fake: FakeServices) -> None:
    """The reply is streamed to standard output; the system prompt is the style's."""
    called = call("chat", "-m", "How?")
    assert called.out.strip() == REPLY
    assert messages(fake) == [
        {"role": "system", "content": "You are calm."},
        {"role": "user", "content": "How?"},
    ]


def test_json_reply_is_one_document(call: Call) -> None:
    """Model, style, message and reply."""
    found = call("chat", "-m", "How?", "--json").json
    assert found == {"model": "tonesmith", "style": "calm", "message": "How?", "reply": REPLY}


@pytest.mark.parametrize("model", ["tonesmith.v1", "base", "tonesmith"])
def test_alias_version_and_base_share_the_styles(
    call: Call, fake: FakeServices, model: str
) -> None:
    """A version and the base are asked with the same prompt as the alias, so replies compare."""
    assert call("chat", "-m", "How?", "--model", model).code == 0
    assert messages(fake)[0]["content"] == "You are calm."


def test_model_trained_without_prompt_gets_none(call: Call, fake: FakeServices) -> None:
    """What is served is what was trained: prefix conditioning has no system prompt."""
    path = f"GET /models/{MODEL['id']}"
    fake.answers[path] = lambda _: httpx.Response(200, json=MODEL | {"conditioning": "prefix"})
    call("chat", "-m", "How?")
    assert [message["role"] for message in messages(fake)] == ["user"]


def test_unknown_style_lists_the_known(call: Call) -> None:
    """Exit code 2 and the way out."""
    called = call("chat", "-m", "How?", "--style", "loud")
    assert called.code == 2
    assert "it knows: calm" in called.err


def test_base_without_any_model_speaks_plainly(call: Call, fake: FakeServices) -> None:
    """Before the first promotion there is a base and no style."""
    empty = CURRENT | {"versions": [], "aliases": {}}
    fake.answers["GET /current"] = lambda _: httpx.Response(200, json=empty)
    assert call("chat", "-m", "How?", "--model", "base").code == 0
    assert len(messages(fake)) == 1
    assert call("chat", "-m", "How?", "--model", "base", "--style", "calm").code == 2


def test_dialogue_remembers_what_was_said(
    call: Call, fake: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second message travels with the first exchange; /quit leaves."""
    monkeypatch.setattr("sys.stdin", io.StringIO("How?\n\nAnd then?\n/quit\nnever\n"))
    assert call("chat").code == 0
    assert [message["role"] for message in messages(fake)] == [
        "system",
        "user",
        "assistant",
        "user",
    ]
    assert messages(fake)[-1]["content"] == "And then?"


def test_dialogue_ends_with_the_input(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """End of file leaves without an error."""
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert call("chat").code == 0


def test_json_needs_a_message(call: Call) -> None:
    """A dialogue is not for programs."""
    assert call("chat", "--json").code == 2
