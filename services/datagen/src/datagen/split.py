"""Train and evaluation split: by question, so that no question of one is ever seen in the other."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable

from contracts.sample import Sample
from datagen.text import letters


def questions_of(sample: Sample) -> list[str]:
    """Return the normal form of every question in a row, those of its history too."""
    return [letters(turn.user) for turn in sample.history] + [letters(sample.question)]


def groups(samples: Iterable[Sample]) -> list[list[Sample]]:
    """Return the rows in groups that share no question with one another (union-find)."""
    rows = list(samples)
    parents = list(range(len(rows)))

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    owner: dict[str, int] = {}
    for number, row in enumerate(rows):
        for question in questions_of(row):
            parents[root(number)] = root(owner.setdefault(question, number))
    found: dict[int, list[Sample]] = defaultdict(list)
    for number, row in enumerate(rows):
        found[root(number)].append(row)
    return list(found.values())


def split(samples: list[Sample], ratio: float, seed: int) -> tuple[list[Sample], list[Sample]]:
    """Return the rows for training and for evaluation, both in their given order.

    Whole groups are held out, in an order that follows from `seed`, until every style has
    its share; a style keeps at least one row for training.
    """
    total = Counter(sample.style for sample in samples)
    wanted = {style: min(round(count * ratio), count - 1) for style, count in total.items()}
    if ratio > 0:
        wanted = {style: max(n, int(total[style] > 1)) for style, n in wanted.items()}
    taken: Counter[str] = Counter()
    held: set[str] = set()
    for group in sorted(groups(samples), key=lambda rows: order_key(rows, seed)):
        styles = Counter(sample.style for sample in group)
        needed = any(taken[style] < wanted[style] for style in styles)
        if needed and all(taken[style] + n < total[style] for style, n in styles.items()):
            taken += styles
            held.update(sample.id for sample in group)
    train = [sample for sample in samples if sample.id not in held]
    return train, [sample for sample in samples if sample.id in held]


def split_like(samples: list[Sample], held: frozenset[str]) -> tuple[list[Sample], list[Sample]]:
    """Return the rows for training and for evaluation as an earlier version parted them.

    Args:
        samples: the rows, which keep their order.
        held: normal form of each question that was held out; none of them is trained on.
    """
    kept_out = {
        sample.id
        for group in groups(samples)
        if any(question in held for sample in group for question in questions_of(sample))
        for sample in group
    }
    train = [sample for sample in samples if sample.id not in kept_out]
    return train, [sample for sample in samples if sample.id in kept_out]


def order_key(group: list[Sample], seed: int) -> str:
    """Return what orders the groups: the same on every machine for one seed."""
    first = min(question for sample in group for question in questions_of(sample))
    return hashlib.sha256(f"{seed}/{first}".encode()).hexdigest()
