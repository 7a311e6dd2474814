"""Tests of the ranking: no difference between equals, and a real one is found."""

import random
from pathlib import Path

import httpx
import pytest

from contracts.evaluation import Reply
from contracts.sample import Message
from datagen.chat import ChatClient, Sampling
from datagen.classifier import Labelled, StyleClassifier
from datagen.contestants import questions_to
from datagen.evaluate import Judge, Round
from datagen.heldout import HeldOut
from datagen.proof_figures import all_figures, differences, ranking
from datagen.surprisal import Trigrams
from fakes.openai_server import Messages, OpenAIServer
from fakes.styled_dataset import BANKS, STYLES, plain_model, samples, styled_model

SEEDS = range(20)
STYLE_NAMES = ("a", "b", "c", "d")
PER_STYLE = 40


def reply(contestant: str, style: str, number: int, strength: float) -> Reply:
    """Return a judged reply."""
    return Reply(
        contestant=contestant,
        model=contestant,
        style=style,
        number=number,
        situation=None,
        question="Why?",
        reply="Because.",
        predicted_style=style if strength > 0.5 else "(plain)",
        strength=strength,
        on_topic=None,
    )


def simulated(shares: dict[str, float], seed: int, per_style: int = PER_STYLE) -> list[Reply]:
    """Return replies of contestants that speak in the style in these shares of the questions.

    Half of a question's luck is its own, so that rivals are alike on easy and hard questions.
    """
    chance = random.Random(seed)
    replies = []
    for style in STYLE_NAMES:
        for number in range(per_style):
            ease = chance.random()
            for name, share in shares.items():
                luck = ease if chance.random() < 0.5 else chance.random()
                spread = chance.betavariate(20, 1)
                replies.append(reply(name, style, number, spread if luck < share else 1 - spread))
    return replies


def winners(replies: list[Reply], seed: int) -> list[str]:
    """Return who is surely better than somebody."""
    return [pair.first for pair in differences(replies, seed) if pair.better == "first"]


def test_equals_are_not_told_apart() -> None:
    """Three contestants of one strength, 20 seeds: at most one names a winner."""
    equal = {"base": 0.4, "prompted": 0.4, "tuned": 0.4}
    alarms = [seed for seed in SEEDS if winners(simulated(equal, seed), seed)]
    assert len(alarms) <= 1


def test_fifteen_points_are_found() -> None:
    """A good prompt and a better model, 40 questions in each of 4 styles: in 16 of 20 seeds."""
    shares = {"base": 0.05, "prompted": 0.8, "tuned": 0.95}
    found = [
        seed
        for seed in SEEDS
        if any(
            (pair.first, pair.second, pair.better) == ("tuned", "prompted", "first")
            for pair in differences(simulated(shares, seed), seed)
        )
    ]
    assert len(found) >= 16


async def test_one_model_under_two_names_is_not_told_apart(tmp_path: Path) -> None:
    """Asked over HTTP at a temperature, 20 seeds: at most one finds a difference."""
    rows = [Labelled(row.reply, row.style) for row in samples(14)]
    judge = Judge(StyleClassifier(rows))
    questions = heldout(10)
    alarms = 0
    for seed in SEEDS:
        chance = random.Random(seed)

        def drawn(messages: Messages, chance: random.Random = chance) -> str:
            return (styled_model() if chance.random() < 0.5 else plain_model)(messages)

        server = OpenAIServer({"base": drawn, "tonesmith": drawn})
        async with httpx.AsyncClient(transport=server.transport, base_url="http://x") as http:
            asking = Round(
                ChatClient(http),
                judge,
                tmp_path / f"{seed}.jsonl",
                sampling=Sampling(temperature=0.8, seed=seed),
                concurrency=8,
                on_reply=lambda _: None,
            )
            models = {"base": "base", "tuned": "tonesmith"}
            replies = await asking.run(questions_to(questions, models, {}))
        alarms += bool(winners(replies, seed))
    assert alarms <= 1


def heldout(per_style: int) -> list[HeldOut]:
    """Return questions of the bank in each of the shipped styles."""
    found = []
    chance = random.Random(1)
    for style in STYLES.values():
        bank = BANKS[style.language]
        for number in range(per_style):
            situation = chance.choice(bank.situations)
            text = bank.draw(situation, "train", chance).text
            asked = (
                Message(role="system", content=style.system_prompt),
                Message(role="user", content=text),
            )
            found.append(HeldOut(style.id, number, style.language, text, asked, situation))
    return found


def test_ranking_gives_equals_one_place() -> None:
    """Base and its twin share the second place; who comes after them would be fourth."""
    replies = simulated({"base": 0.1, "twin": 0.1, "tuned": 0.9}, 1)
    figures = all_figures(replies, {}, 1)
    places = ranking(figures, differences(replies, 1))
    assert [rank.place for rank in places] == [1, 2, 2]
    assert places[0].contestant == "tuned"
    assert places[0].strength.interval.low > places[1].strength.interval.high


def test_figures_are_told_for_all_styles_and_for_each() -> None:
    """Five rows a contestant: all, and the four styles; naturalness only with a yardstick."""
    replies = simulated({"base": 0.1, "tuned": 0.9}, 1, per_style=4)
    found = all_figures(replies, {"a": Trigrams(["Because."])}, 1)
    assert [one.style for one in found[:5]] == ["", *STYLE_NAMES]
    assert [one.surprisal is None for one in found[1:5]] == [False, True, True, True]
    whole = found[5]
    assert (whole.contestant, whole.strength.count) == ("tuned", 16)
    assert whole.on_topic is None
    assert whole.characters.value == pytest.approx(8)


def test_differences_are_taken_over_questions_that_both_were_asked() -> None:
    """A contestant that was asked less is compared on what it was asked."""
    replies = simulated({"base": 0.1, "tuned": 0.9}, 1, per_style=4)
    kept = [row for row in replies if row.contestant == "base" or row.style != "d"]
    assert differences(kept, 1)[0].questions == 12
