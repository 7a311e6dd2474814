"""Tests of the plan of dialogues."""

from collections import Counter
from itertools import pairwise

import pytest
from pydantic import ValidationError

from contracts.dataset import DatasetRequest
from contracts.style import StyleVersion
from datagen.dialogues import TRAJECTORIES, index_of, levels, trajectory_of, turns_of
from datagen.slots import plan


@pytest.mark.parametrize(("least", "most"), [(2, 6), (2, 4), (3, 3), (None, 5), (1, 2)])
def test_trajectories_and_lengths_are_spread_evenly(least: int | None, most: int) -> None:
    """Every length comes with every trajectory, as often as any other within one round."""
    request = DatasetRequest(turns=most, turns_least=least, multi_turn_ratio=1)
    count = (most - max(2, least or most) + 1) * 3 * 4
    found = Counter(
        (turns_of(request, index), trajectory_of(request, "a", index)) for index in range(count)
    )
    assert len(found) * 4 == count
    assert set(found.values()) == {4}


def test_seed_decides_which_trajectory_is_first() -> None:
    """Not every dataset begins with the same one; the same seed does."""
    firsts = {trajectory_of(DatasetRequest(seed=seed), "a", 0) for seed in range(20)}
    assert firsts == set(TRAJECTORIES)


def test_rows_of_one_request_have_the_range_of_turns(versions: list[StyleVersion]) -> None:
    """Three hundred dialogues of two to six turns are one request."""
    request = DatasetRequest(per_style=150, multi_turn_ratio=1, turns=6, turns_least=2)
    slots = plan(request, versions)
    assert Counter(slot.turns for slot in slots) == dict.fromkeys(range(2, 7), 60)


def test_index_counts_the_dialogues_before_a_row(versions: list[StyleVersion]) -> None:
    """Also where only some rows are dialogues."""
    request = DatasetRequest(per_style=50, multi_turn_ratio=0.3, turns=3)
    slots = plan(request, versions[:1])
    found = [index_of(request, slot.number) for slot in slots if slot.turns > 1]
    assert found == list(range(15))


@pytest.mark.parametrize("turns", range(2, 7))
def test_levels_go_one_way(turns: int) -> None:
    """Up for what escalates, down for the others, over the whole course."""
    up, down = levels("escalates", turns), levels("calms", turns)
    assert all(one <= other for one, other in pairwise(up))
    assert all(one >= other for one, other in pairwise(down))
    assert (up[0], up[-1], down[0], down[-1]) == (2, 5, 4, 1)


def test_range_that_is_upside_down_is_refused() -> None:
    """The error names the field and the way out."""
    with pytest.raises(ValidationError, match="turns_least: 5 is more than turns"):
        DatasetRequest(turns=3, turns_least=5)
