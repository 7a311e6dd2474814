"""Micro-batch and accumulation: what a request allows, and what a CPU's memory allows."""

import pytest

from trainer.engine.batching import Asked, Choice
from trainer.engine.sizing import allowed_micro, cpu_micro
from trainer.engine.ways import Way


def choice(units: int, *, batching: str = "grouped", sequence: int = 256) -> Choice:
    """Return a choice of `units` rows or packs."""
    return Choice(Way(batching, sequence, sequence, 1.0, 0.95, 1.0), units, 0, [])


def asked(micro: int = 8, **fixed: int) -> Asked:
    """Return what a recipe asks for on a CPU, with what a request fixes."""
    return Asked("sft", micro, 2, 512, fixed, True, 1, False, 0.0, 4096)


@pytest.mark.parametrize(
    ("fixed", "allowed", "units"),
    [
        ({}, [1, 2, 4, 8, 16], 16),
        ({"per_device_train_batch_size": 4}, [4], 16),
        ({"per_device_train_batch_size": 6}, [6], 18),
        ({"gradient_accumulation_steps": 4}, [4], 16),
        ({"gradient_accumulation_steps": 3}, [5], 15),
        ({"per_device_train_batch_size": 6, "gradient_accumulation_steps": 7}, [6], 42),
    ],
)
def test_micro_batches_divide_the_update_as_far_as_the_request_lets_them(
    fixed: dict[str, int], allowed: list[int], units: int
) -> None:
    """What is fixed stays; the update is the nearest that it divides."""
    assert allowed_micro(asked(**fixed), choice(16)) == (allowed, units)


def test_a_cpu_takes_the_recipes_micro_batch_where_its_memory_allows() -> None:
    """For a family that is not known, the vocabulary is taken to be large."""
    candidates = [1, 2, 4, 8, 16]
    assert cpu_micro(candidates, choice(16, sequence=64), asked(), None) == 8
    assert cpu_micro(candidates, choice(16, sequence=4096), asked(), None) == 1
