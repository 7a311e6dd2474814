"""The coverage map of a dataset: style x emotion x area, what is empty, and how even it is."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from contracts.quality import Balance, Coverage, Spread
from contracts.style import Language
from datagen.questions import Bank


class Placed(Protocol):
    """A row that may know its situation: a `Sample`, or a row that was measured."""

    @property
    def style(self) -> str:
        """The style's id."""

    @property
    def situation(self) -> str | None:
        """`<area>/<emotion>`, None where it is unknown."""


def coverage(
    rows: Iterable[Placed], banks: Mapping[Language, Bank], speaks: Mapping[str, Language]
) -> Coverage:
    """Return how many rows each style has in each situation of its language.

    Args:
        rows: the accepted rows.
        banks: which situations there are.
        speaks: the language of each style; one that is missing has no map.
    """
    grids = {style: banks[said] for style, said in sorted(speaks.items()) if said in banks}
    known = {style: {one.id for one in bank.situations} for style, bank in grids.items()}
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    unknown: Counter[str] = Counter()
    for row in rows:
        if row.situation in known.get(row.style, ()):
            counts[row.style][row.situation or ""] += 1
        else:
            unknown[row.style] += 1
    mapped = {style: bank for style, bank in grids.items() if style in counts}
    spoken = {speaks[style] for style in grids if style in counts or style in unknown}
    files = [banks[language].file for language in sorted(spoken)]
    return Coverage(
        emotions=list(dict.fromkeys(one.id for file in files for one in file.emotions)),
        areas=list(dict.fromkeys(one.id for file in files for one in file.areas)),
        counts={style: dict(sorted(counts[style].items())) for style in mapped},
        empty={style: empty_cells(counts[style], bank) for style, bank in mapped.items()},
        balance={style: balance(counts[style], bank) for style, bank in mapped.items()},
        unknown=dict(sorted(unknown.items())),
        without_situation=unknown.total(),
        names={language: names_of(bank) for language, bank in sorted(banks.items())},
    )


def names_of(bank: Bank) -> dict[str, str]:
    """Return what the emotions and areas of `bank` are called, by their ids."""
    emotions = {emotion.id: emotion.name for emotion in bank.file.emotions}
    return emotions | {area.id: area.name for area in bank.file.areas}


def empty_cells(counts: Mapping[str, int], bank: Bank) -> list[str]:
    """Return the situations of `bank` without a row, areas first."""
    return [one.id for one in bank.situations if not counts.get(one.id)]


def balance(counts: Counter[str], bank: Bank) -> Balance:
    """Return how evenly the rows of one style are spread."""
    areas: Counter[str] = Counter()
    emotions: Counter[str] = Counter()
    for cell, rows in counts.items():
        situation = bank.situation(cell)
        areas[situation.area.id] += rows
        emotions[situation.emotion.id] += rows
    return Balance(
        rows=counts.total(),
        cells=spread_of([counts[one.id] for one in bank.situations]),
        emotions=spread_of([emotions[one.id] for one in bank.file.emotions]),
        areas=spread_of([areas[one.id] for one in bank.file.areas]),
    )


def spread_of(counts: Sequence[int]) -> Spread:
    """Return how evenly rows are spread over places that have these counts."""
    return Spread(
        places=len(counts),
        filled=sum(count > 0 for count in counts),
        least=min(counts, default=0),
        most=max(counts, default=0),
        evenness=evenness(counts),
    )


def evenness(counts: Sequence[int]) -> float:
    """Return the entropy of `counts` divided by the highest that as many rows can have.

    Fewer rows than places cannot fill them all: that by itself is not uneven. One row is even.
    """
    total = sum(counts)
    highest = even_entropy(total, len(counts))
    if highest == 0:
        return 1.0
    return max(0.0, min(1.0, entropy(counts) / highest))


def entropy(counts: Iterable[int]) -> float:
    """Return the Shannon entropy of `counts`, in nats."""
    some = [count for count in counts if count]
    total = sum(some)
    return -sum(count / total * math.log(count / total) for count in some)


def even_entropy(rows: int, places: int) -> float:
    """Return the entropy of `rows` spread as evenly over `places` as whole rows allow."""
    if not rows or not places:
        return 0.0
    each, over = divmod(rows, places)
    return entropy([each + 1] * over + [each] * (places - over))
