"""Tests of asking both contestants and judging their replies."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from contracts.dataset import Conditioning
from datagen.chat import Answer, ChatClient, Sampling
from datagen.classifier import StyleClassifier
from datagen.evaluate import Asked, Judge, Round, StoppedError, journalled, pairs
from datagen.evaluations import labelled
from datagen.heldout import HeldOut, prompt
from datagen.questions import Situation
from fakes.openai_server import Fault, OpenAIServer
from fakes.styled_dataset import BANKS, STYLES, echoing_model, plain_model, samples, styled_model
from kit.errors import InvalidInputError

MODELS = {"base": "base", "tuned": "tonesmith"}


@pytest.fixture(scope="module")
def classifier() -> StyleClassifier:
    """A classifier of the three styles."""
    return StyleClassifier(labelled(samples(30)))


def question(style: str = "gentle", number: int = 0) -> HeldOut:
    """Return the `number`-th question of a style."""
    card = STYLES[style]
    situation: Situation = BANKS[card.language].situations[number]
    text = BANKS[card.language].wordings(situation, "train")[0]
    messages = prompt(Conditioning.SYSTEM, card.system_prompt, [], text)
    return HeldOut(style, number, card.language, text, messages, situation)


def questions(number: int) -> list[HeldOut]:
    """Return `number` questions of each style."""
    return [question(style, n) for style in STYLES for n in range(number)]


@contextmanager
def round_of(
    server: OpenAIServer,
    classifier: StyleClassifier,
    journal: Path,
    on_reply: Callable[[int], None] = lambda _: None,
) -> Iterator[Round]:
    """Yield a round that asks `server`."""
    http = httpx.AsyncClient(transport=server.transport, base_url="http://serving")
    yield Round(
        ChatClient(http, first_wait=0.0),
        Judge(classifier),
        journal,
        sampling=Sampling(),
        concurrency=4,
        on_reply=on_reply,
    )


def server_of(faults: Iterable[Fault] = ()) -> OpenAIServer:
    """Return a server with a plain base and a tuned model."""
    return OpenAIServer({"base": plain_model, "tonesmith": styled_model()}, faults=faults)


async def test_both_contestants_get_the_same_messages(
    tmp_path: Path, classifier: StyleClassifier
) -> None:
    """Every question goes to base and tuned alike, at most `concurrency` at once."""
    server = server_of()
    asked = pairs(questions(3), MODELS)
    with round_of(server, classifier, tmp_path / "replies.jsonl") as one:
        replies = await one.run(asked)
    assert [(reply.contestant, reply.style, reply.number) for reply in replies] == [
        (one.contestant, one.heldout.style, one.heldout.number) for one in asked
    ]
    base, tuned = (
        sorted(str(sent["messages"]) for sent in server.requests if sent["model"] == name)
        for name in MODELS.values()
    )
    assert base == tuned
    assert 1 < server.most_in_flight <= 4


async def test_resumed_round_asks_only_what_is_missing(
    tmp_path: Path, classifier: StyleClassifier
) -> None:
    """What the journal holds is not asked again, even with a torn last line."""
    journal = tmp_path / "replies.jsonl"
    asked = pairs(questions(2), MODELS)

    def stop(done: int) -> None:
        if done == 5:
            raise StoppedError

    with round_of(server_of(), classifier, journal, stop) as first, pytest.raises(StoppedError):
        await first.run(asked)
    kept = len(journalled(journal))
    assert 5 <= kept < len(asked)
    with journal.open("ab") as file:
        file.write(b'{"contestant": "tun')
    again = server_of()
    with round_of(again, classifier, journal) as second:
        replies = await second.run(asked)
    assert len(again.requests) == len(asked) - kept
    assert len(replies) == len(journalled(journal)) == len(asked)


async def test_round_stops_at_an_unknown_model_and_keeps_what_it_has(
    tmp_path: Path, classifier: StyleClassifier
) -> None:
    """The error is the model's own, not a group of errors."""
    journal = tmp_path / "replies.jsonl"
    asked = pairs(questions(2), {"base": "base", "tuned": "missing"})
    with round_of(server_of(), classifier, journal) as one, pytest.raises(InvalidInputError):
        await one.run(asked)
    assert {reply.contestant for reply in journalled(journal)} <= {"base"}


async def test_round_goes_on_after_refusals(tmp_path: Path, classifier: StyleClassifier) -> None:
    """A server that refuses a third of the requests still answers every question."""
    server = server_of(faults=[Fault(429, {"retry-after": "0.001"})] * 6)
    with round_of(server, classifier, tmp_path / "replies.jsonl") as one:
        assert len(await one.run(pairs(questions(3), MODELS))) == 24


def test_judge_sees_tone_topic_and_defects(classifier: StyleClassifier) -> None:
    """A styled reply with the right advice is right; an echo is neither styled nor on topic."""
    one = question()
    good = Answer(styled_model()([m.model_dump() for m in one.messages]), "stop")
    echo = Answer(echoing_model([m.model_dump() for m in one.messages]), "stop")
    asked = Asked("tuned", "tonesmith", one)
    right, wrong = (Judge(classifier).reply(asked, answer) for answer in (good, echo))
    assert (right.predicted_style, right.on_topic, right.defects) == ("gentle", True, [])
    assert right.strength > 0.5
    assert (wrong.on_topic, wrong.defects[0]) == (False, "echo")


def test_empty_reply_has_no_style(classifier: StyleClassifier) -> None:
    """Silence must not be taken for whichever style the classifier falls back to."""
    reply = Judge(classifier).reply(Asked("tuned", "tonesmith", question()), Answer(" ", "length"))
    assert (reply.predicted_style, reply.strength, reply.defects) == ("", 0.0, ["empty"])


def test_announced_style_is_cut_before_judging(classifier: StyleClassifier) -> None:
    """With prefix conditioning the model names its style first; that earns nothing."""
    asked = Asked("tuned", "tonesmith", question())
    judge = Judge(classifier, frozenset({"温柔"}))
    reply = judge.reply(asked, Answer("温柔\n哼，谁要特地帮你啊！才、才不是心疼你呢！😤", "stop"))
    assert reply.reply.startswith("哼")
    assert reply.predicted_style == "tsundere"
