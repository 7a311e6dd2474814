"""Tests of the pure figures."""

import pytest

from datagen.scores import confusion, distinct_bigrams, paired_difference, share, wilson


def test_wilson_leaves_room_when_all_are_right() -> None:
    """Twenty right answers out of twenty do not prove 100 %."""
    interval = wilson(20, 20)
    assert interval.high == pytest.approx(1.0)
    assert interval.low == pytest.approx(0.839, abs=0.001)


def test_wilson_matches_a_published_example() -> None:
    """81 of 263 gives 0.2553 to 0.3662 (Newcombe 1998, method 3)."""
    interval = wilson(81, 263)
    assert (round(interval.low, 4), round(interval.high, 4)) == (0.2553, 0.3662)


def test_wilson_says_nothing_without_rows() -> None:
    """No rows leave the whole range open."""
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)


def test_difference_excludes_zero_when_tuned_is_better() -> None:
    """A clear gain has an interval above zero."""
    gain = paired_difference([False] * 38 + [True] * 2, [True] * 38 + [False] * 2, seed=1)
    assert gain.value == pytest.approx(0.9)
    assert 0.7 < gain.interval.low < gain.value < gain.interval.high <= 1


def test_difference_includes_zero_when_nothing_changed_on_balance() -> None:
    """As many gains as losses leave the sign open."""
    gain = paired_difference([True, False] * 20, [False, True] * 20, seed=1)
    assert gain.interval.low < 0 < gain.interval.high


def test_difference_is_the_same_for_the_same_seed() -> None:
    """A report can be computed again to the last digit."""
    marks = [True, False, False, True], [True, True, False, True]
    assert paired_difference(*marks, seed=3) == paired_difference(*marks, seed=3)


def test_difference_knows_nothing_without_pairs() -> None:
    """No pairs leave the whole range open."""
    assert paired_difference([], [], seed=1).interval.low == -1.0


def test_distinct_bigrams_falls_when_replies_repeat() -> None:
    """The same reply twice halves the share."""
    assert distinct_bigrams(["abcd"]) == 1.0
    assert distinct_bigrams(["abcd", "abcd"]) == 0.5
    assert distinct_bigrams([]) == 0.0


def test_confusion_counts_asked_against_found() -> None:
    """Each row lands in one cell."""
    table = confusion(["a", "a", "b"], ["a", "b", "b"])
    assert table == {"a": {"a": 1, "b": 1}, "b": {"b": 1}}


def test_share_of_nothing_is_zero() -> None:
    """An empty list is no division by zero."""
    assert share([]) == 0.0
