"""The figures of an evaluation, pure: shares with intervals, differences, variety, confusion."""

import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from contracts.evaluation import Difference, Interval

# Two-sided 95 % of the normal distribution.
Z95 = 1.959964
RESAMPLES = 2000


def share(marks: Sequence[bool]) -> float:
    """Return the share of true `marks`, 0 where there are none."""
    return sum(marks) / len(marks) if marks else 0.0


def wilson(hits: int, total: int) -> Interval:
    """Return the 95 % Wilson interval of a share.

    A bootstrap of 20 right answers out of 20 would say "100 % to 100 %"; Wilson says 84 %.
    """
    if total == 0:
        return Interval(low=0.0, high=1.0)
    ratio, squared = hits / total, Z95 * Z95
    middle = (ratio + squared / (2 * total)) / (1 + squared / total)
    spread = Z95 * math.sqrt(ratio * (1 - ratio) / total + squared / (4 * total * total))
    width = spread / (1 + squared / total)
    return Interval(low=max(0.0, middle - width), high=min(1.0, middle + width))


def paired_difference(base: Sequence[bool], tuned: Sequence[bool], *, seed: int) -> Difference:
    """Return tuned minus base share over the same questions, with a bootstrap 95 % interval.

    Questions are drawn with replacement, both contestants' answers to one question together.
    """
    gains = [int(after) - int(before) for before, after in zip(base, tuned, strict=True)]
    if not gains:
        return Difference(value=0.0, interval=Interval(low=-1.0, high=1.0))
    chance = random.Random(seed)
    size = len(gains)
    means = sorted(sum(chance.choices(gains, k=size)) / size for _ in range(RESAMPLES))
    low, high = means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES) - 1]
    return Difference(value=sum(gains) / size, interval=Interval(low=low, high=high))


def distinct_bigrams(replies: Iterable[str]) -> float:
    """Return distinct character bigrams / all bigrams: low where a model says the same again."""
    return distinct(replies, 2)


def distinct_characters(replies: Iterable[str]) -> float:
    """Return distinct characters / all characters."""
    return distinct(replies, 1)


def distinct(replies: Iterable[str], size: int) -> float:
    """Return distinct / all windows of `size` characters within a reply; 0 where there is none."""
    seen = Counter(
        reply[place : place + size] for reply in replies for place in range(len(reply) - size + 1)
    )
    return len(seen) / seen.total() if seen else 0.0


def confusion(asked: Iterable[str], found: Iterable[str]) -> dict[str, dict[str, int]]:
    """Return asked -> found -> number of rows; both levels in the order of their names."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for wanted, style in zip(asked, found, strict=True):
        table[wanted][style] += 1
    return {wanted: dict(sorted(row.items())) for wanted, row in sorted(table.items())}
