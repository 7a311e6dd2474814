"""Tests of slots."""

from collections import Counter

from contracts.dataset import DatasetRequest
from contracts.style import StyleVersion
from datagen.slots import Slot, plan, request_seed


def test_plan_has_the_quota_of_every_style_and_the_share_of_dialogues(
    versions: list[StyleVersion],
) -> None:
    """Each style gets its rows, and exactly the asked share of them has several turns."""
    request = DatasetRequest(per_style=50, multi_turn_ratio=0.2, turns=3)
    slots = plan(request, versions)
    assert len({slot.id for slot in slots}) == 100
    assert Counter(slot.style.style.id for slot in slots) == {"tsundere": 50, "dry-butler": 50}
    assert Counter(slot.turns for slot in slots) == {1: 80, 3: 20}


def test_plan_without_dialogues_has_none(versions: list[StyleVersion]) -> None:
    """A ratio of 0 gives single turns only, a ratio of 1 dialogues only."""
    none = plan(DatasetRequest(per_style=9, multi_turn_ratio=0), versions)
    every = plan(DatasetRequest(per_style=9, multi_turn_ratio=1), versions)
    assert {slot.turns for slot in none} == {1}
    assert {slot.turns for slot in every} == {2}


def test_every_request_has_a_seed_of_its_own(versions: list[StyleVersion]) -> None:
    """Another turn or another attempt asks with another seed."""
    slot = Slot(versions[0], 3, 2)
    seeds = {request_seed(7, slot, turn, attempt) for turn in (0, 1) for attempt in (1, 2)}
    assert len(seeds) == 4
