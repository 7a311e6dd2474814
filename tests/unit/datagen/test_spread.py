"""Tests of the even order of a grid."""

import random

import pytest

from datagen.spread import diagonals, spread


@pytest.mark.parametrize(("rows", "columns"), [(16, 24), (1, 5), (5, 1), (4, 4), (7, 3), (6, 4)])
def test_every_beginning_is_even_in_rows_and_columns(rows: int, columns: int) -> None:
    """After any number of steps two rows differ by one at most, two columns too; all cells come."""
    walked = list(diagonals(rows, columns))
    assert len(set(walked)) == len(walked) == rows * columns
    by_row, by_column = [0] * rows, [0] * columns
    for row, column in walked:
        by_row[row] += 1
        by_column[column] += 1
        assert max(by_row) - min(by_row) <= 1
        assert max(by_column) - min(by_column) <= 1


def test_grid_with_holes_keeps_every_cell_it_has() -> None:
    """What is missing is passed over; nothing is invented, nothing comes twice."""
    cells = [("work", "sad"), ("home", "sad"), ("work", "happy")]
    assert sorted(spread(cells, random.Random(1))) == sorted(cells)
    assert spread([], random.Random(1)) == []


def test_order_follows_from_the_seed() -> None:
    """The same chance gives the same order, another one begins elsewhere."""
    cells = [(area, emotion) for area in "abcd" for emotion in "uvwxyz"]
    orders = [spread(cells, random.Random(seed)) for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]
