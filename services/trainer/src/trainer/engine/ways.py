"""What each way to batch rows costs, from a histogram of their lengths. Pure.

LLaMA-Factory 0.9.5 offers three ways, and each is simulated here as it really works:

- `plain`: rows at random; a micro-batch is padded to its longest row, rounded up to 8
  (`pad_to_multiple_of`, train/sft/workflow.py).
- `grouped`: `train_sampling_strategy: group_by_length`, in our order (`sampling.py`): rows are
  sorted within a few updates, so that a micro-batch holds rows of like length.
- `packed`: `neat_packing`: whole rows fill a pack of `cutoff_len` tokens by a greedy knapsack, in
  each thousand rows; attention stays within a row, positions start again at each row.

The cost of a way counts the tokens that go through the layers, padding too, and the pairs of tokens
that attention looks at: it computes a whole square for each sequence, masked or not.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

Histogram = Sequence[Sequence[int]]  # (length, rows of it)
ROUND = 8  # pad_to_multiple_of
# A pack must be a multiple of ROUND, or the collator would pad ids and not positions; a larger one
# keeps matrix sizes that kernels like.
PACK_ROUND = 64
# Updates whose rows are sorted together. transformers takes 50; rows of one length are often of one
# style, and with 8 the held-out loss is that of rows at random (docs/log.md).
TOGETHER = 8
PACKED_AT_ONCE = 1000  # preprocessing_batch_size
SAMPLE = 5_000  # rows that are simulated; the shares do not move beyond


@dataclass(frozen=True)
class Way:
    """One way to batch: `sequence` is the longest padded sequence, in tokens."""

    batching: str
    cutoff_len: int
    sequence: int
    rows_per_unit: float  # rows of a pack; one where rows are not packed
    useful_ratio: float  # tokens that are no padding
    cost: float  # of a useful token; 1: no padding, no attention


def rows_of(histogram: Histogram, cutoff: int) -> list[int]:
    """Return the lengths of the rows, or of a sample of them, cut at `cutoff`, in random order.

    The order is always the same, and the longest row is among them.
    """
    rows = list(chain.from_iterable([min(length, cutoff)] * count for length, count in histogram))
    random.Random(7).shuffle(rows)
    longest = rows.index(max(rows))
    rows[0], rows[longest] = rows[longest], rows[0]
    return rows[:SAMPLE]


def up(length: int, multiple: int) -> int:
    """Return the smallest multiple that is not below `length`."""
    return -(-length // multiple) * multiple


def knapsacks(lengths: Iterable[int], capacity: int) -> list[list[int]]:
    """Return the packs that `llamafactory.data.processor.processor_utils.greedy_knapsack` makes."""
    counts: dict[int, int] = {}
    for length in lengths:
        counts[length] = counts.get(length, 0) + 1
    packs = []
    while counts:
        pack, room = [], capacity
        for length in sorted(counts, reverse=True):
            taken = min(counts[length], room // length) if length else 0
            pack += [length] * taken
            room -= length * taken
            counts[length] -= taken
        counts = {length: left for length, left in counts.items() if left}
        if not pack:
            raise ValueError(f"a row of {max(counts)} tokens fits no pack of {capacity}")
        packs.append(pack)
    return packs


def packed_way(rows: Sequence[int], pack: int, pair_cost: float) -> Way:
    """Return what packing into `pack` tokens gives; LLaMA-Factory keeps one of them as padding."""
    batches = (rows[at : at + PACKED_AT_ONCE] for at in range(0, len(rows), PACKED_AT_ONCE))
    packs = list(chain.from_iterable(knapsacks(batch, pack - 1) for batch in batches))
    useful = sum(rows)
    cost = len(packs) * (pack + pair_cost * pack * pack) / useful
    return Way("packed", pack, pack, len(rows) / len(packs), useful / (len(packs) * pack), cost)


def blocks_of(rows: int, update: int) -> int:
    """Return how many updates are sorted together: fewer where an epoch has few of them."""
    return max(1, min(rows // (update * 4), TOGETHER))


def padded_way(batching: str, rows: Sequence[int], micro: int, update: int, pair: float) -> Way:
    """Return what batches of `micro` rows give, at random or grouped by `update` rows."""
    ordered = list(rows)
    if batching == "grouped":
        block = update * blocks_of(len(rows), update)
        parts = (sorted(rows[at : at + block], reverse=True) for at in range(0, len(rows), block))
        ordered = list(chain.from_iterable(parts))
    batches = [ordered[at : at + micro] for at in range(0, len(ordered), micro)]
    lengths = [(up(max(batch), ROUND), len(batch)) for batch in batches]
    padded = sum(length * count for length, count in lengths)
    pairs = sum(length * length * count for length, count in lengths)
    useful, longest = sum(rows), max(length for length, _ in lengths)
    return Way(batching, longest, longest, 1.0, useful / padded, (padded + pair * pairs) / useful)
