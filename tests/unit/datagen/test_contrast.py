"""Tests of contrast and likeness, on vectors small enough to work out by hand."""

import numpy as np
import pytest

from datagen.contrast import FEWEST_ROWS, contrasts, likenesses
from datagen.vectors import ngram_matrix

EAST, NORTH = [1.0, 0.0], [0.0, 1.0]
BOTH = ~np.eye(2, dtype=bool)


def test_row_of_its_style_is_above_zero_and_a_stray_below() -> None:
    """Five rows each of two styles; one of the second speaks like the first."""
    matrix = np.array([EAST] * 5 + [NORTH] * 4 + [EAST])
    found = contrasts(matrix, [0] * 5 + [1] * 5, BOTH)
    assert (found[:9] > 0.5).all()
    assert found[9] == pytest.approx(-1.0)


def test_row_does_not_vouch_for_itself() -> None:
    """What only the row itself has in common with its style counts for nothing."""
    matrix = np.array([EAST] * 4 + [NORTH] * 4 + [[0.6, 0.8]])
    found = contrasts(matrix, [0] * 4 + [1] * 4 + [0], BOTH)
    assert found[8] == pytest.approx(0.6 - 0.8)


def test_style_with_too_few_rows_or_no_rival_is_not_judged() -> None:
    """NaN says that there is nothing to compare with."""
    few = FEWEST_ROWS - 1
    matrix = np.array([EAST] * 5 + [NORTH] * few)
    assert np.isnan(contrasts(matrix, [0] * 5 + [1] * few, BOTH)).all()
    assert np.isnan(contrasts(np.array([EAST] * 5), [0] * 5, np.zeros((1, 1), bool))).all()


def test_refused_rows_teach_nothing() -> None:
    """A heap of refused strays does not move the centre of their style."""
    matrix = np.array([EAST] * 5 + [NORTH] * 5 + [EAST] * 20)
    styles = [0] * 5 + [1] * 25
    teaches = np.array([True] * 10 + [False] * 20)
    found = contrasts(matrix, styles, BOTH, teaches)
    assert found[5:10] == pytest.approx(np.ones(5))
    assert found[10:] == pytest.approx(-np.ones(20))


def test_sparse_and_dense_vectors_give_the_same() -> None:
    """Both kinds of matrix are judged alike."""
    texts = [f"哼，第{n}次才不是帮你啦！" for n in range(6)]
    texts += [f"亲爱的，第{n}次慢慢来就好。" for n in range(6)]
    sparse = ngram_matrix(texts)
    styles = [0] * 6 + [1] * 6
    assert contrasts(sparse, styles, BOTH) == pytest.approx(
        contrasts(sparse.toarray(), styles, BOTH), abs=1e-6
    )
    assert (contrasts(sparse, styles, BOTH) > 0).all()


def test_likeness_is_to_the_best_reference_of_the_own_style() -> None:
    """Another style's example does not count, and a card without examples is not judged."""
    rows, references = np.array([EAST, EAST, NORTH]), np.array([[0.6, 0.8], EAST])
    found = likenesses(rows, [0, 1, 2], references, [0, 1])
    assert found[:2] == pytest.approx([0.6, 1.0])
    assert np.isnan(found[2])
