"""Tests of the agreement figures, against sklearn and scipy."""

import random

import pytest
from scipy.stats import spearmanr
from sklearn.metrics import cohen_kappa_score

from datagen.agreement import choice_agreement, score_agreement

CHANCE = random.Random(5)
TRUTH = [CHANCE.randint(1, 5) for _ in range(80)]
NOISY = [max(1, min(5, score + CHANCE.choice([-1, 0, 0, 0, 2]))) for score in TRUTH]


def test_figures_are_those_of_the_libraries() -> None:
    """Quadratic kappa as in scikit-learn, Spearman with ties as in SciPy."""
    found = score_agreement("empathy", list(zip(TRUTH, NOISY, strict=True)))
    kappa = cohen_kappa_score(TRUTH, NOISY, weights="quadratic")
    assert found.kappa.value == pytest.approx(kappa)
    assert found.spearman
    assert found.spearman.value == pytest.approx(spearmanr(TRUTH, NOISY).statistic)
    assert found.equal.value == pytest.approx(sum(map(int.__eq__, TRUTH, NOISY)) / 80)
    assert found.near
    assert found.near.value is not None
    assert found.near.value > found.equal.value  # type: ignore[operator]


def test_intervals_hold_the_figure() -> None:
    """And are narrower with more rows."""
    pairs = list(zip(TRUTH, NOISY, strict=True))
    few, many = score_agreement("x", pairs[:20]), score_agreement("x", pairs * 4)
    widths = []
    for found in (few, many):
        low, high = found.kappa.low, found.kappa.high
        assert low is not None
        assert high is not None
        assert low < (found.kappa.value or 0) < high
        widths.append(high - low)
    assert widths[0] > 2 * widths[1]


def test_preferences_take_plain_kappa() -> None:
    """As in scikit-learn without weights; a judge that says tie always has a kappa of 0."""
    people = [CHANCE.choice(["first", "tie", "second"]) for _ in range(60)]
    judge = [CHANCE.choice([one, one, "first"]) for one in people]
    found = choice_agreement(list(zip(people, judge, strict=True)))
    assert found.kappa.value == pytest.approx(cohen_kappa_score(people, judge))
    ties = choice_agreement([(one, "tie") for one in people])
    assert ties.kappa.value == pytest.approx(0)


def test_what_is_not_defined_is_no_number() -> None:
    """Where nobody ever varies, or there is no row, there is no kappa: None, not 0 or 1."""
    constant = score_agreement("x", [(3, 3)] * 5)
    assert (constant.kappa.value, constant.equal.value) == (None, 1.0)
    assert constant.spearman
    assert constant.spearman.value is None
    assert score_agreement("x", []).equal.value is None
