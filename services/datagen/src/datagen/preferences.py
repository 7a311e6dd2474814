"""Preference pairs, free of charge: the asked style's reply is chosen, another style's rejected.

Pairs are drawn inside one split, so none of its texts is seen in the other. Both replies are of one
language, or the pair would teach the language and not the style. Where no other style was asked
the very question, its reply to the nearest one stands in, and the row says how near (`match`).
"""

import hashlib
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from contracts.dataset import Conditioning
from contracts.sample import Sample
from contracts.style import Style
from datagen.formats import WITH_PREFIX, WITH_SYSTEM, alpaca_row, prefix_of
from datagen.text import letters

Match = Literal["question", "situation", "nearest"]
Key = tuple[str, str]
# With neither, nothing in the prompt says which style is asked for: both replies would be right.
NAMES_STYLE = WITH_SYSTEM | WITH_PREFIX
# The nearest question is looked for among so many, so that 100,000 rows take seconds, not hours.
LOOKED_AT = 32


@dataclass(frozen=True)
class Pair:
    """A row and the row of another style whose reply is the rejected one."""

    chosen: Sample
    rejected: Sample
    match: Match


@dataclass
class Shelf:
    """The rows of one language, found by question, by situation and by style."""

    questions: dict[Key, list[Sample]] = field(default_factory=lambda: defaultdict(list))
    situations: dict[Key, list[Sample]] = field(default_factory=lambda: defaultdict(list))
    styles: dict[str, list[Sample]] = field(default_factory=lambda: defaultdict(list))

    def add(self, sample: Sample) -> None:
        """Put a row into its places."""
        self.styles[sample.style].append(sample)
        self.questions[sample.style, letters(sample.question)].append(sample)
        if sample.situation:
            self.situations[sample.style, sample.situation].append(sample)

    def others(self, sample: Sample) -> list[str]:
        """Return the other styles, in a fixed order."""
        return sorted(set(self.styles) - {sample.style})

    def same(self, places: Mapping[Key, list[Sample]], what: str, sample: Sample) -> list[Sample]:
        """Return the rows of other styles in the same place that say something else."""
        said = letters(sample.reply)
        return [
            row
            for style in self.others(sample)
            for row in places.get((style, what), ())
            if letters(row.reply) != said
        ]


def pairs(samples: Sequence[Sample], seed: int) -> Iterator[Pair]:
    """Yield one pair for each of `samples`, all of one split, in their order.

    None for a row whose language has no other style. The same for the same seed, whatever else
    is in the dataset's other split.
    """
    shelves: dict[str, Shelf] = defaultdict(Shelf)
    for sample in samples:
        shelves[sample.language].add(sample)
    for sample in samples:
        # The seed and the row's own name, so that a row more changes no other row's draw.
        digest = hashlib.sha256(f"{seed}/{sample.slot}".encode()).digest()
        chance = random.Random(digest)
        if pair := find(sample, shelves[sample.language], chance):
            yield pair


def find(sample: Sample, shelf: Shelf, chance: random.Random) -> Pair | None:
    """Return the pair of a row: of the same question, the same situation, the nearest question."""
    if same := shelf.same(shelf.questions, letters(sample.question), sample):
        return Pair(sample, chance.choice(same), "question")
    if same := shelf.same(shelf.situations, sample.situation or "", sample):
        return Pair(sample, chance.choice(same), "situation")
    if not (others := shelf.others(sample)):
        return None
    # The style first, so that a large one is not rejected more often than a small one.
    rows = shelf.styles[chance.choice(others)]
    rows = chance.sample(rows, min(LOOKED_AT, len(rows)))
    nearest = max(rows, key=lambda row: likeness(row.question, sample.question))
    if letters(nearest.reply) == letters(sample.reply):
        return None
    return Pair(sample, nearest, "nearest")


def likeness(one: str, other: str) -> float:
    """Return the Jaccard similarity of the character bigrams of two texts, 0 to 1."""
    left, right = bigrams(one), bigrams(other)
    return len(left & right) / (len(left | right) or 1)


def bigrams(text: str) -> set[str]:
    """Return the pairs of neighbouring letters in `text`."""
    plain = letters(text)
    return {plain[at : at + 2] for at in range(len(plain) - 1)}


def preference_rows(
    samples: Sequence[Sample],
    cards: Mapping[str, Style],
    conditioning: Conditioning,
    seed: int,
) -> list[dict[str, Any]]:
    """Return the pairs of one split as LLaMA-Factory's ranking rows; empty without a second style.

    With a prefix both replies carry the one of the asked style: the first line asks for it, and
    what follows either keeps to it or does not.
    """
    if conditioning not in NAMES_STYLE:
        return []
    return [
        ranking_row(pair, cards[pair.chosen.style], conditioning) for pair in pairs(samples, seed)
    ]


def ranking_row(pair: Pair, style: Style, conditioning: Conditioning) -> dict[str, Any]:
    """Return a pair as a row; `match` is ours, LLaMA-Factory takes no notice of it."""
    row = alpaca_row(pair.chosen, style, conditioning)
    prefix = prefix_of(style) if conditioning in WITH_PREFIX else ""
    return {
        "instruction": row["instruction"],
        "input": row["input"],
        "chosen": row["output"],
        "rejected": prefix + pair.rejected.reply,
        "system": row["system"],
        "history": row["history"],
        "match": pair.match,
    }
