"""Tests of figures with intervals."""

import random

import numpy as np
import pytest

from datagen.bootstrap import (
    bca,
    difference_figure,
    distinct_figure,
    flip_p,
    holm,
    mean_figure,
    share_figure,
)


def test_interval_covers_the_truth_as_often_as_it_says() -> None:
    """Of 400 samples of 40 skewed values, the interval of the mean holds the truth in 95 %."""
    chance = np.random.default_rng(3)
    held = 0
    for seed in range(400):
        interval = bca(chance.beta(5, 1, 40), seed)
        held += interval.low <= 5 / 6 <= interval.high
    assert 0.92 <= held / 400 <= 0.98


def test_interval_follows_the_skew() -> None:
    """Nearly all at 1 and a few at 0: the interval reaches further down than up."""
    found = mean_figure([1.0] * 18 + [0.0] * 2, seed=1)
    below, above = found.value - found.interval.low, found.interval.high - found.value
    assert below > above > 0


def test_equal_values_leave_nothing_open_but_one_value_leaves_everything() -> None:
    """A bootstrap of one question knows nothing."""
    same, one = mean_figure([0.4] * 9, seed=1), mean_figure([0.4], seed=1)
    assert (same.interval.low, same.interval.high) == (same.value, same.value)
    assert (one.interval.low, one.interval.high, one.count) == (0.0, 1.0, 1)
    assert mean_figure([], seed=1).count == 0


def test_interval_takes_orders_of_the_same_values_for_equal() -> None:
    """0.1, 0.2 and 0.3 add up to another number in another order; no bias comes of that."""
    near, whole = bca(np.array([0.1, 0.2, 0.3]), 7), bca(np.array([1.0, 2.0, 3.0]), 7)
    assert (near.low * 10, near.high * 10) == pytest.approx((whole.low, whole.high), abs=1e-6)


def test_share_keeps_room_where_all_are_right() -> None:
    """Wilson at the edge, where a bootstrap would be sure."""
    assert share_figure([True] * 20).interval.low == pytest.approx(0.839, abs=0.001)


def test_difference_is_taken_question_by_question() -> None:
    """Hard and easy questions differ by more than the contestants: pairing takes that out."""
    base = [0.1, 0.9] * 20
    gain = difference_figure([value + 0.05 for value in base], base, seed=1)
    assert gain.interval.low == pytest.approx(0.05)


def test_flip_p_is_small_for_a_gain_and_one_for_none() -> None:
    """The p value is that of the sign flips; equal replies are no evidence at all."""
    assert flip_p([1.0] * 20, [0.0] * 20, seed=1) < 0.001
    assert flip_p([1.0, 0.0] * 10, [0.0, 1.0] * 10, seed=1) > 0.5
    assert flip_p([0.3] * 5, [0.3] * 5, seed=1) == 1.0


def test_flip_p_is_as_often_small_as_it_says() -> None:
    """Of 400 pairs of equals, 5 % are below 0.05, within chance."""
    chance = np.random.default_rng(5)
    small = sum(flip_p(*chance.random((2, 30)), seed=seed) <= 0.05 for seed in range(400))
    assert 8 <= small <= 34


def test_holm_corrects_in_order() -> None:
    """The smallest is multiplied by their number, the next by one less, never decreasing."""
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([]) == []


def test_distinct_figure_shrinks_with_more_texts() -> None:
    """Its interval is that of the texts at hand, and nothing is known of three of them."""
    chance = random.Random(1)
    texts = ["".join(chance.choices("abcdefgh", k=20)) for _ in range(200)]
    few, many = (distinct_figure(some, 2, seed=1).interval for some in (texts[:20], texts))
    assert many.high - many.low < few.high - few.low
    assert distinct_figure(texts[:3], 2, seed=1).interval.high == 1.0
    assert distinct_figure([], 2, seed=1).value == 0.0
