"""Preference pairs, free of charge: the asked style's reply is chosen, another style's rejected.

What people corrected comes first: their own reply is chosen, the one that they changed rejected.

Pairs are drawn inside one split, so none of its texts is seen in the other. Both replies are of one
language, or the pair would teach the language and not the style. Where no other style was asked
the very question, its reply to the nearest one stands in, and the row says how near (`match`).
"""

import hashlib
import random
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any, Literal

from contracts.dataset import Conditioning
from contracts.sample import Sample
from contracts.style import Style
from contracts.votes import PairSource
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
    source: PairSource = "contrast"

    @property
    def same_style(self) -> bool:
        """Whether both replies were asked for in one style: then the prompt need not name it."""
        return self.chosen.style == self.rejected.style


@dataclass(frozen=True)
class Shelved:
    """A row as it is compared; its parts are worked out once, for rows are compared often."""

    row: Sample

    @cached_property
    def asked(self) -> str:
        """The letters of the question."""
        return letters(self.row.question)

    @cached_property
    def said(self) -> str:
        """The letters of the reply."""
        return letters(self.row.reply)

    @cached_property
    def place(self) -> str:
        """The situation and the turn in it: a later reply is no answer to an opening."""
        known = self.row.situation
        return f"{known}/{len(self.row.history)}" if known else ""

    @cached_property
    def grams(self) -> set[str]:
        """The pairs of neighbouring letters in the question."""
        return bigrams(self.asked)


@dataclass
class Shelf:
    """The rows of one language, found by question, by situation and by style."""

    questions: dict[Key, list[Shelved]] = field(default_factory=lambda: defaultdict(list))
    situations: dict[Key, list[Shelved]] = field(default_factory=lambda: defaultdict(list))
    styles: dict[str, list[Shelved]] = field(default_factory=lambda: defaultdict(list))

    def add(self, sample: Shelved) -> None:
        """Put a row into its places."""
        row = sample.row
        self.styles[row.style].append(sample)
        self.questions[row.style, sample.asked].append(sample)
        if sample.place:
            self.situations[row.style, sample.place].append(sample)

    def others(self, sample: Shelved) -> list[str]:
        """Return the other styles, in a fixed order."""
        return sorted(style for style in self.styles if style != sample.row.style)

    def same(
        self, places: Mapping[Key, list[Shelved]], what: str, sample: Shelved
    ) -> list[Shelved]:
        """Return the rows of other styles in the same place that say something else."""
        said = sample.said
        return [
            other
            for style in self.others(sample)
            for other in places.get((style, what), ())
            if other.said != said
        ]


def pairs(samples: Sequence[Sample], seed: int) -> Iterator[Pair]:
    """Yield one pair for each of `samples`, all of one split, in their order.

    None for a row whose language has no other style, nor for a safe reply to a crisis, which no
    style may be set above or below. The same for the same seed, whatever else
    is in the dataset's other split.
    """
    shelves: dict[str, Shelf] = defaultdict(Shelf)
    shelved = [Shelved(sample) for sample in samples if not sample.safety]
    for sample in shelved:
        shelves[sample.row.language].add(sample)
    for sample in shelved:
        # The seed and the row's own name, so that a row more changes no other row's draw.
        digest = hashlib.sha256(f"{seed}/{sample.row.slot}".encode()).digest()
        chance = random.Random(digest)
        if pair := find(sample, shelves[sample.row.language], chance):
            yield pair


def find(sample: Shelved, shelf: Shelf, chance: random.Random) -> Pair | None:
    """Return the pair of a row: of the same question, the same situation, the nearest question."""
    if same := shelf.same(shelf.questions, sample.asked, sample):
        return Pair(sample.row, chance.choice(same).row, "question")
    if same := shelf.same(shelf.situations, sample.place, sample):
        return Pair(sample.row, chance.choice(same).row, "situation")
    if not (others := shelf.others(sample)):
        return None
    # The style first, so that a large one is not rejected more often than a small one.
    rows = shelf.styles[chance.choice(others)]
    rows = chance.sample(rows, min(LOOKED_AT, len(rows)))
    nearest = max(rows, key=lambda row: likeness(row.grams, sample.grams))
    if nearest.said == sample.said:
        return None
    return Pair(sample.row, nearest.row, "nearest")


def likeness(left: set[str], right: set[str]) -> float:
    """Return the Jaccard similarity of two sets of bigrams, 0 to 1."""
    return len(left & right) / (len(left | right) or 1)


def bigrams(plain: str) -> set[str]:
    """Return the pairs of neighbours among the letters of a text."""
    return {plain[at : at + 2] for at in range(len(plain) - 1)}


def edit_pairs(samples: Sequence[Sample]) -> Iterator[Pair]:
    """Yield a pair for each row whose reply a person changed and then stood by."""
    for sample in samples:
        review = sample.review
        if review and review.decision == "accepted" and review.original is not None:
            worse = sample.model_copy(update={"reply": review.original, "review": None})
            yield Pair(sample, worse, "question", "edits")


def distinct(every: Iterable[Pair]) -> Iterator[Pair]:
    """Yield each pair once; of two that contradict each other only the first."""
    seen: set[tuple[str, ...]] = set()
    for pair in every:
        row = pair.chosen
        before = [text for turn in row.history for text in (turn.user, turn.assistant)]
        place = (row.style, letters(row.question), *before)
        better, worse = letters(row.reply), letters(pair.rejected.reply)
        key = (*place, better, worse)
        if better == worse or key in seen:
            continue
        seen.add(key)
        seen.add((*place, worse, better))
        yield pair


def usable_pairs(
    samples: Sequence[Sample],
    conditioning: Conditioning,
    seed: int,
    extra: Sequence[Pair] = (),
    sources: Container[PairSource] = ("votes", "edits", "contrast"),
) -> list[Pair]:
    """Return the distinct pairs of one split: people's first, then those of style contrast.

    Args:
        samples: the rows of the split.
        conditioning: without a style in the prompt only pairs of one style mean anything.
        seed: of the draws.
        extra: pairs that do not come from the rows.
        sources: which to take.
    """
    named = conditioning in NAMES_STYLE
    edits = list(edit_pairs(samples)) if "edits" in sources else []
    contrast = pairs(samples, seed) if named and "contrast" in sources else iter(())
    found = distinct(chain(extra, edits, contrast))
    return [pair for pair in found if named or pair.same_style]


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
    return ranking_rows(usable_pairs(samples, conditioning, seed), cards, conditioning)


def ranking_rows(
    every: Iterable[Pair], cards: Mapping[str, Style], conditioning: Conditioning
) -> list[dict[str, Any]]:
    """Return pairs as LLaMA-Factory's ranking rows."""
    return [ranking_row(pair, cards[pair.chosen.style], conditioning) for pair in every]


def ranking_row(pair: Pair, style: Style, conditioning: Conditioning) -> dict[str, Any]:
    """Return a pair as a row; what follows `history` is ours, and LLaMA-Factory overlooks it."""
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
        "source": pair.source,
        "chosen_by": pair.chosen.teacher,
        "rejected_by": pair.rejected.teacher,
    }
