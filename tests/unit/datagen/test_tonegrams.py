"""Tests of the judge of tones."""

import random

import numpy as np

from datagen.compose import styled_reply
from datagen.tonegrams import judge_tones
from fakes.styled_dataset import BANKS, STYLES


def replies(count: int, seed: int = 3) -> tuple[list[str], list[int]]:
    """Return so many composed replies of each of four styles, with the index of the style."""
    chance = random.Random(seed)
    texts = [
        styled_reply(style, chance.choice(BANKS[style.language].situations).advice, chance)
        for style in STYLES.values()
        for _ in range(count)
    ]
    return texts, [place for place in range(len(STYLES)) for _ in range(count)]


def rivals() -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Return which styles may be mixed up: those of one language."""
    speaks = [style.language for style in STYLES.values()]
    return np.array([[one == other for other in speaks] for one in speaks])


def test_styles_are_told_apart_from_a_few_replies() -> None:
    """Eight replies each, every one judged by the others only."""
    texts, styles = replies(8)
    tones = judge_tones(texts, styles, rivals())
    assert (tones.nearest == np.array(styles)).mean() >= 0.9
    assert np.median(tones.margins) > 0


def test_one_tone_under_two_names_is_a_coin_toss() -> None:
    """Where there is nothing to tell, the judge does not recognise a reply by its own words."""
    texts, styles = replies(40)
    own = [text for text, style in zip(texts, styles, strict=True) if style == 0]
    labels = [number % 2 for number in range(len(own))]
    tones = judge_tones(own, labels, np.ones((2, 2), bool))
    assert 0.2 <= (tones.nearest == np.array(labels)).mean() <= 0.7


def test_planted_stranger_is_found() -> None:
    """A reply in another tone has a margin below zero."""
    texts, styles = replies(20)
    swapped = styles.copy()
    swapped[0] = 1  # the first reply of style 0, said to be of style 1: both are Chinese
    tones = judge_tones(texts, swapped, rivals())
    assert tones.nearest[0] == 0
    assert tones.margins[0] == tones.margins.min() < 0


def test_row_that_does_not_teach_is_judged_all_the_same() -> None:
    """What a gate refused must not spoil the judge."""
    texts, styles = replies(20)
    plain = ["先歇一会儿，再慢慢想办法。"] * 3
    known = [True] * len(texts) + [False] * 3
    tones = judge_tones([*texts, *plain], [*styles, 0, 0, 0], rivals(), known)
    alone = judge_tones(texts, styles, rivals())
    assert np.array_equal(tones.margins[: len(texts)], alone.margins)


def test_style_without_rival_has_no_margin() -> None:
    """There is nothing that it could be mixed up with."""
    tones = judge_tones(["a b c", "d e f"], [0, 1], np.eye(2, dtype=bool))
    assert list(tones.margins) == [0.0, 0.0]
    assert list(tones.nearest) == [0, 1]


def test_empty_and_odd_texts_are_no_error() -> None:
    """An empty reply, one letter, an emoji, half a surrogate pair."""
    texts = ["", "a", "😤", "\ud83d", "many words here"]
    tones = judge_tones(texts, [0, 1, 0, 1, 0], np.ones((2, 2), bool))
    assert np.isfinite(tones.margins).all()
    assert judge_tones([], [], np.ones((2, 2), bool)).nearest.size == 0
