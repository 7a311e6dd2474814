"""Rows and tokens per second: padding and evaluations do not count."""

from typing import Any

from fakes.clock import FakeClock
from trainer.engine.throughput import Throughput


class Numbers:
    """As much of a tensor as is counted."""

    def __init__(self, rows: list[list[int]], dims: int = 2) -> None:
        self.rows = rows
        self.shape = (len(rows), len(rows[0]))
        self.dims = dims

    def dim(self) -> int:
        """Return how many dimensions it has."""
        return self.dims

    def __sub__(self, number: int) -> "Numbers":
        return Numbers([[value - number for value in row] for row in self.rows])

    def __ne__(self, number: object) -> Any:
        return Numbers([[int(value != number) for value in row] for row in self.rows])

    def sum(self) -> int:
        """Return the sum of all."""
        return sum(map(sum, self.rows))


IDS = Numbers([[5, 6, 7, 0], [5, 0, 0, 0]])


def test_padding_is_not_counted() -> None:
    """Neither by the mask, nor by the padding token, nor in packed rows, numbered from 1."""
    counted = Throughput(FakeClock())
    counted.batch({"input_ids": IDS, "attention_mask": Numbers([[1, 1, 1, 0], [1, 0, 0, 0]])}, 0)
    assert counted.drain()[:2] == (4, 2)
    counted.batch({"input_ids": IDS, "attention_mask": Numbers([[1, 1, 2, 0], [3, 0, 0, 0]])}, 0)
    assert counted.drain()[:2] == (4, 2)
    counted.batch({"input_ids": IDS, "attention_mask": Numbers([[0]], dims=4)}, 0)
    assert counted.drain()[:2] == (4, 2)
    counted.batch({"input_ids": IDS}, None)
    assert counted.drain()[:2] == (8, 2)
    counted.batch({"pixels": 1}, 0)
    assert counted.drain()[:2] == (0, 0)
    assert counted.tokens == 20


def test_time_between_steps_is_not_counted() -> None:
    """An evaluation or a save is no training."""
    clock = FakeClock()
    counted = Throughput(clock)
    for _ in range(3):
        counted.begin()
        clock.now += 2
        counted.end()
        clock.now += 100
    assert counted.drain() == (0, 0, 6)
    assert counted.drain() == (0, 0, 0)


def test_wait_for_the_card_at_a_log_belongs_to_the_steps() -> None:
    """The processor runs ahead of it; a log without a step before it waits for nothing."""
    clock = FakeClock()
    counted = Throughput(clock)
    counted.begin()
    clock.now += 2
    counted.end()
    clock.now += 3
    counted.settle()
    clock.now += 50
    counted.settle()
    assert counted.drain() == (0, 0, 5)
