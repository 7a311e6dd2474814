"""Tests of the coverage map."""

from dataclasses import dataclass

import pytest

from contracts.style import Language
from datagen.coverage import coverage, evenness
from datagen.questions import Bank

SPEAKS: dict[str, Language] = {"tsundere": "zh", "dry-butler": "en", "silent": "zh"}


@dataclass(frozen=True)
class Row:
    """A row as the map sees it."""

    style: str
    situation: str | None = None


def test_every_cell_of_a_style_is_counted_or_named_as_empty(banks: dict[Language, Bank]) -> None:
    """Each style is held against the grid of its own language; a style without rows has no map."""
    rows = [
        Row("tsundere", "work/anxious"),
        Row("tsundere", "work/anxious"),
        Row("tsundere", "pets/sad"),
        Row("dry-butler", "work/afraid"),
    ]
    found = coverage(rows, banks, SPEAKS)
    assert found.counts == {
        "dry-butler": {"work/afraid": 1},
        "tsundere": {"pets/sad": 1, "work/anxious": 2},
    }
    for style, language in (("tsundere", banks["zh"]), ("dry-butler", banks["en"])):
        cells = {situation.id for situation in language.situations}
        assert {*found.empty[style], *found.counts[style]} == cells
        assert not {*found.empty[style]} & {*found.counts[style]}
    assert "silent" not in found.balance
    own = found.balance["tsundere"]
    assert (own.rows, own.cells.filled, own.cells.least, own.cells.most) == (3, 2, 0, 2)
    assert (own.emotions.filled, own.areas.filled, own.areas.most) == (2, 2, 2)


def test_rows_without_a_known_situation_are_listed_as_unknown(
    banks: dict[Language, Bank],
) -> None:
    """Imported rows have none, and a situation that the bank does not know is none."""
    rows = [
        Row("tsundere"),
        Row("tsundere", "work/anxious"),
        Row("tsundere", "no/where"),
        Row("other"),
    ]
    found = coverage(rows, banks, SPEAKS)
    assert found.unknown == {"other": 1, "tsundere": 2}
    assert found.without_situation == 3
    assert found.counts == {"tsundere": {"work/anxious": 1}}


def test_no_rows_have_an_empty_map(banks: dict[Language, Bank]) -> None:
    """Nothing is said of a grid that nobody asks about."""
    found = coverage([], banks, SPEAKS)
    assert (found.counts, found.empty, found.balance, found.emotions) == ({}, {}, {}, [])


@pytest.mark.parametrize(
    ("counts", "value"),
    [
        ([2, 2, 2], 1.0),
        ([3, 2, 2], 1.0),  # seven rows cannot be spread more evenly over three places
        ([1, 1, 0, 0], 1.0),  # nor two over four
        ([1], 1.0),
        ([0, 0], 1.0),
        ([4, 0, 0, 0], 0.0),
        ([2, 0, 0, 2], 0.5),
    ],
)
def test_evenness_is_held_against_what_so_many_rows_can_have(
    counts: list[int], value: float
) -> None:
    """1 where no other spread is more even, 0 where all rows are in one place."""
    assert evenness(counts) == pytest.approx(value)
