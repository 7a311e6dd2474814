"""The ways to batch rows: the simulation agrees with what the libraries do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.engine.ways import ROUND, knapsacks, packed_way, padded_way, rows_of, up

LENGTHS = st.lists(st.integers(1, 300), min_size=1, max_size=120)


def reference_knapsacks(lengths: list[int], capacity: int) -> list[list[int]]:
    """Return what LLaMA-Factory's greedy_knapsack does: the largest that still fits, each time."""
    left, packs = sorted(lengths), []
    while left:
        pack, room = [], capacity
        while fitting := [length for length in left if length <= room]:
            pack.append(fitting[-1])
            left.remove(fitting[-1])
            room -= fitting[-1]
        packs.append(pack)
    return packs


@given(LENGTHS, st.integers(300, 900))
def test_packs_are_those_of_the_engine(lengths: list[int], capacity: int) -> None:
    """Row by row the largest that fits is taken, so the same packs come out."""
    assert knapsacks(lengths, capacity) == reference_knapsacks(lengths, capacity)


@given(LENGTHS)
def test_packing_keeps_every_token(lengths: list[int]) -> None:
    """Rows, tokens and packs add up."""
    way = packed_way(lengths, 320, 0.0)
    packs = round(len(lengths) / way.rows_per_unit)
    assert way.useful_ratio * packs * 320 == pytest.approx(sum(lengths))


def test_grouped_rows_need_less_padding_than_rows_at_random() -> None:
    """Short rows do not wait for long ones."""
    rows = rows_of([(40, 400), (250, 400)], 512)
    plain, grouped = (padded_way(name, rows, 8, 16, 0.0) for name in ("plain", "grouped"))
    assert plain.useful_ratio < 0.65
    assert grouped.useful_ratio > 0.95
    assert plain.sequence == grouped.sequence == up(250, ROUND)


def test_attention_makes_longer_packs_cost_more() -> None:
    """It looks at a whole square of each pack, so that a longer pack pays for its length."""
    rows = [60] * 1000
    short, long = (packed_way(rows, pack, 1e-4) for pack in (512, 4096))
    assert long.useful_ratio > short.useful_ratio
    assert long.cost > short.cost


def test_the_longest_row_is_always_among_the_sample() -> None:
    """What is planned for must be the longest row, also where only a sample is simulated."""
    rows = rows_of([(10, 50_000), (400, 1)], 512)
    assert len(rows) < 50_000
    assert max(rows) == 400
