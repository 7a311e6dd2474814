"""Tests of the style classifier."""

import random

import pytest

from datagen.classifier import MAX_ROWS_PER_STYLE, PLAIN, Labelled, StyleClassifier, thin
from datagen.compose import plain_reply, styled_reply
from fakes.styled_dataset import BANKS, STYLES, samples
from kit.errors import InvalidInputError


def rows(per_style: int, seed: int) -> list[Labelled]:
    """Return generated replies with their styles."""
    return [Labelled(row.reply, row.style) for row in samples(per_style, seed)]


@pytest.fixture(scope="module")
def classifier() -> StyleClassifier:
    """A classifier trained on 30 rows of each style, without plain ones."""
    return StyleClassifier(rows(30, seed=1))


def test_new_replies_are_recognised(classifier: StyleClassifier) -> None:
    """Replies with other advice and other openers, in a known style, are told apart."""
    score = classifier.score(rows(20, seed=2))
    assert score.accuracy >= 0.95
    assert (score.trained_rows, score.plain_rows) == (120, 0)
    assert score.heldout_rows == 80
    assert set(score.per_style) == set(STYLES)


def test_tone_decides_where_topic_and_tone_disagree() -> None:
    """Where one style only ever spoke of work in training, work alone does not give it away."""
    chance = random.Random(5)
    chinese = [STYLES["tsundere"], STYLES["gentle"]]
    by_area = {
        style.id: [s for s in BANKS["zh"].situations if (s.area.id in first) == (place == 0)]
        for first in [{area.id for area in BANKS["zh"].file.areas[:8]}]
        for place, style in enumerate(chinese)
    }
    train = [
        Labelled(styled_reply(style, chance.choice(by_area[style.id]).advice, chance), style.id)
        for style in chinese
        for _ in range(60)
    ]
    swapped = {"tsundere": by_area["gentle"], "gentle": by_area["tsundere"]}
    probe = [
        Labelled(styled_reply(style, chance.choice(swapped[style.id]).advice, chance), style.id)
        for style in chinese
        for _ in range(40)
    ]
    assert StyleClassifier(train).score(probe).accuracy >= 0.9


def test_shuffled_labels_score_like_guessing(classifier: StyleClassifier) -> None:
    """Replies in a style other than the asked one are not taken for it."""
    turned = dict(zip(STYLES, [*list(STYLES)[1:], next(iter(STYLES))], strict=True))
    wrong = [Labelled(row.reply, turned[row.style]) for row in rows(20, seed=3)]
    assert classifier.score(wrong).accuracy <= 0.05


def test_probabilities_are_of_all_styles(classifier: StyleClassifier) -> None:
    """They add up to one, and the named style is the likeliest."""
    judged = classifier.judge([samples(1)[0].reply])[0]
    assert sum(judged.probabilities.values()) == pytest.approx(1)
    assert judged.style == max(judged.probabilities, key=lambda style: judged.probabilities[style])
    assert classifier.judge([]) == []


def test_equal_rows_give_equal_judgements() -> None:
    """Two classifiers of the same rows agree to the last digit."""
    texts = [row.reply for row in samples(3, seed=9)]
    first, second = (StyleClassifier(rows(10, seed=1)).judge(texts) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("labels", [[], ["gentle"]])
def test_one_style_is_refused_with_a_way_out(labels: list[str]) -> None:
    """There is nothing to tell apart; the error names the field and what to do."""
    with pytest.raises(InvalidInputError, match="needs two") as caught:
        StyleClassifier([Labelled("好。", label) for label in labels])
    assert caught.value.body.field == "dataset_id"
    assert caught.value.body.hint


def test_many_rows_are_thinned_evenly() -> None:
    """Training time stays bounded, and no style drowns another."""
    many = [Labelled(f"话{n}。", "gentle") for n in range(MAX_ROWS_PER_STYLE + 50)]
    kept = thin([*many, Labelled("哼。", "tsundere"), Labelled("  ", "tsundere")], seed=7)
    assert [row.style for row in kept].count("gentle") == MAX_ROWS_PER_STYLE
    assert [row.reply for row in kept if row.style == "tsundere"] == ["哼。"]


def test_score_is_empty_when_nothing_is_held_out(classifier: StyleClassifier) -> None:
    """A dataset without evaluation rows gives no accuracy, but no crash either."""
    score = classifier.score([])
    assert (score.heldout_rows, score.accuracy) == (0, 0.0)


def test_plain_speech_is_no_style_when_plain_rows_are_known() -> None:
    """With plain rows in training the judge may answer "plain", and names the nearest style too."""
    plain = [Labelled(text, PLAIN) for text in plain_replies(0)]
    judge = StyleClassifier([*rows(20, seed=1), *plain])
    judged = judge.judge(plain_replies(1))
    assert {one.style for one in judged} == {PLAIN}
    assert {one.nearest for one in judged} <= set(STYLES)
    assert judge.score(rows(10, seed=4)).accuracy >= 0.95


def plain_replies(part: int) -> list[str]:
    """Return every 20th situation's advice said plainly; another `part` is other situations."""
    return [
        plain_reply(situation.advice, language)
        for language, bank in BANKS.items()
        for situation in bank.situations[part::20]
    ]
