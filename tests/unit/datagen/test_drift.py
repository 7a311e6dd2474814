"""Tests of conversations: whose words stand in the history, and when a style fades."""

import random

import pytest

from contracts.evaluation import Reply
from contracts.sample import Message
from datagen.drift import drifts, next_turns
from datagen.evaluate import Asked
from datagen.heldout import HeldOut


def question(text: str, number: int = 0) -> HeldOut:
    """Return a question with a system prompt."""
    messages = (Message(role="system", content="Be calm."), Message(role="user", content=text))
    return HeldOut("calm", number, "en", text, messages)


def reply(turn: int, strength: float, number: int = 0, contestant: str = "tuned") -> Reply:
    """Return a judged reply of a conversation."""
    return Reply(
        contestant=contestant,
        model="m",
        style="calm",
        number=number,
        situation=None,
        question="?",
        reply=f"Reply {turn}.",
        predicted_style="calm",
        strength=strength,
        on_topic=None,
        turn=turn,
    )


def test_next_turn_carries_the_models_own_replies() -> None:
    """Question, its own reply, question: with the prefix that it was taught to put before."""
    first = Asked("tuned", "m", question("One?"))
    questions = {("calm", 0, turn): question(f"{turn}?", 7) for turn in (2, 3)}
    (second,) = next_turns([first], [reply(1, 1.0)], questions, {"calm": "Calm\n"})
    (third,) = next_turns([second], [reply(2, 1.0)], questions, {"calm": "Calm\n"})
    assert [(one.role, one.content) for one in third.heldout.messages] == [
        ("system", "Be calm."),
        ("user", "One?"),
        ("assistant", "Calm\nReply 1."),
        ("user", "2?"),
        ("assistant", "Calm\nReply 2."),
        ("user", "3?"),
    ]
    assert third.key == ("tuned", "calm", 0, 3, "")
    assert [turn.assistant for turn in third.history] == ["Reply 1.", "Reply 2."]
    assert next_turns([third], [reply(3, 1.0)], questions, {}) == []


def spoken(fall: float, conversations: int, noise: float) -> list[Reply]:
    """Return conversations of four turns whose strength changes by `fall` a turn."""
    chance = random.Random(1)
    return [
        reply(turn, 0.95 + fall * (turn - 1) + chance.gauss(0, noise), number)
        for number in range(conversations)
        for turn in range(1, 5)
    ]


@pytest.mark.parametrize(
    ("fall", "conversations", "noise", "verdict"),
    [
        (0.0, 24, 0.03, "steady"),
        (-0.2, 24, 0.03, "fades"),
        (0.2, 24, 0.03, "grows"),
        (0.0, 24, 0.4, "cannot_tell"),
        (-0.2, 7, 0.03, "cannot_tell"),
    ],
)
def test_drift_is_told_where_it_is_sure(
    fall: float, conversations: int, noise: float, verdict: str
) -> None:
    """The slope with its interval, against five points of strength a turn."""
    (found,) = drifts(spoken(fall, conversations, noise), 1)
    assert found.verdict == verdict
    assert found.slope.value == pytest.approx(fall, abs=0.1)
    assert len(found.turns) == 4
    assert found.slope.count == conversations


def test_single_questions_are_no_conversation() -> None:
    """Only conversations of two turns or more count, and without any there is no drift."""
    replies = [reply(1, 0.1, number) for number in range(5)]
    assert drifts(replies, 1) == []
    replies += [reply(2, 0.9, 0)]
    (found,) = drifts(replies, 1)
    assert [turn.count for turn in found.turns] == [1, 1]
    assert found.verdict == "cannot_tell"  # of one conversation
