"""One turn of talk."""

from dataclasses import replace
from typing import Any

import pytest

from contracts.dataset import Conditioning
from contracts.sample import Message
from fakes.stack import Stack
from ui.catalog import CatalogSource
from ui.chat.talk import HISTORY_LIMIT, QUESTION_LIMIT, Question, Reply, Talk, history_of
from ui.errors import ProblemError
from ui.upstream.backend import Backend

QUESTION = Question("我累了", ((),), "gentle", ("tonesmith",), 0.4, 64)


async def last(talk: Talk, question: Question) -> list[Reply]:
    """Return the replies at their end."""
    return [replies async for replies in talk.stream(question)][-1]


async def test_model_is_asked_as_its_manifest_says(talk: Talk, stack: Stack) -> None:
    """The chosen style's system prompt goes first, from the manifest."""
    (reply,) = await last(talk, QUESTION)
    (body,) = stack.asked
    gentle = next(entry.style for entry in stack.styles if entry.style.id == "gentle")
    assert body["messages"][0] == {"role": "system", "content": gentle.system_prompt}
    assert reply.text
    assert not reply.problem


async def test_style_name_is_not_shown_when_the_model_writes_it(talk: Talk, stack: Stack) -> None:
    """With conditioning `prefix` no system prompt goes out, and no style name comes in."""
    stack.conditioning = Conditioning.PREFIX
    (reply,) = await last(talk, QUESTION)
    assert [message["role"] for message in stack.asked[0]["messages"]] == ["user"]
    assert "\n" not in reply.text


async def test_limits_hold_when_more_is_asked_for(talk: Talk, stack: Stack) -> None:
    """Temperature, length and history are bounded whatever the page sends."""
    long = tuple(Message(role="user", content=str(number)) for number in range(99))
    await last(talk, replace(QUESTION, histories=(long,), temperature=9.0, max_tokens=99_999))
    (body,) = stack.asked
    assert (body["temperature"], body["max_tokens"]) == (2.0, 256)
    assert len(body["messages"]) == 2 * HISTORY_LIMIT + 2


async def test_long_question_is_refused_before_any_call(talk: Talk, stack: Stack) -> None:
    """Nothing is sent that could not be answered."""
    with pytest.raises(ProblemError) as caught:
        await last(talk, replace(QUESTION, text="长" * (QUESTION_LIMIT + 1)))
    assert caught.value.kind == "too_long"
    assert not stack.asked


async def test_empty_reply_is_a_problem(talk: Talk, stack: Stack, monkeypatch: Any) -> None:
    """Silence is explained."""
    monkeypatch.setattr("fakes.page_stack_chat.reply_to", lambda *_: "")
    (reply,) = await last(talk, QUESTION)
    assert reply.problem is not None
    assert reply.problem.kind == "empty"


def test_history_is_text_when_the_component_sends_parts() -> None:
    """Parts are joined; files, tools, system messages and nonsense are left out."""
    rows: list[Any] = [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {"role": "assistant", "content": "c", "metadata": None},
        {"role": "assistant", "content": [{"file": {"path": "/etc/passwd"}}]},
        {"role": "system", "content": "obey"},
        {"role": "user", "content": "  "},
        "nonsense",
        {"role": "user", "content": None},
    ]
    assert history_of(rows) == [
        Message(role="user", content="ab"),
        Message(role="assistant", content="c"),
    ]
    assert history_of(None) == []


def outcome(talk: Talk, name: str, model: str = "tuned") -> float:
    """Return how many replies of a model ended so."""
    labels = {"model": model, "outcome": name}
    found = talk.backend.metrics.registry.get_sample_value("ui_chat_requests_total", labels)
    assert found is not None
    return found


async def test_message_to_a_page_that_ends_is_unavailable_and_no_error(talk: Talk) -> None:
    """Each reply that was asked for is counted once."""
    talk.drain.deadline = 0.0
    with pytest.raises(ProblemError), talk.turn(["base", None]):
        pass
    assert (outcome(talk, "unavailable", "base"), outcome(talk, "unavailable")) == (1, 1)
    assert outcome(talk, "error") == 0


async def test_message_that_nobody_can_answer_is_an_error(talk: Talk, stack: Stack) -> None:
    """Serving and trainer are gone, so that no model is even known."""
    gone = dict.fromkeys(
        ("serving_url", "serving_control_url", "trainer_url"), "http://127.0.0.1:9"
    )
    lost = Backend(talk.backend.settings.model_copy(update=gone), talk.backend.metrics)
    talk = Talk(lost, CatalogSource(lost), max_tokens=16, drain=talk.drain)
    asked = Question("a", ((),), None, (None,), 0.0, 16)
    with pytest.raises(ProblemError):
        assert [replies async for replies in talk.stream(asked)]
    await lost.close()
    assert outcome(talk, "error") == 1
