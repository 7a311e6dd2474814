"""Duplicates row by row, as they come: the index that a generation or an import asks.

Texts are compared by the Jaccard similarity of their character 3-grams: exact over the candidates
that MinHash with banding finds, so it stays fast at 100,000 rows. A whole dataset at once:
`near_pairs.py`.
"""

from dataclasses import dataclass, field

import numpy as np

from datagen.shingles import HASHES, Grams, band_keys, shingle, signature, similarity
from datagen.text import letters

# Three characters changed in a reply of 30 to 200: 99 in 100 stay above this; of 1,658 real rows
# and 3,600 generated ones no two are as similar as 0.65.
NEAR = 0.7
# Signatures of 120 hashes tell a similarity of 0.7 with a standard error of 0.042: a candidate
# that seems this much less similar than asked for is not compared.
SLACK = 0.13


@dataclass(frozen=True)
class Nearest:
    """The highest similarities of a text to accepted ones, 0 to 1.

    Attributes:
        within: of the same style.
        across: of the other styles.
        other: the style that `across` is of.
    """

    within: float = 0.0
    across: float = 0.0
    other: str = ""


@dataclass
class DuplicateIndex:
    """The accepted texts of one dataset, by style.

    Args:
        near: similarity from which two texts count as near duplicates.
    """

    near: float = NEAR
    _exact: set[tuple[str, str]] = field(default_factory=set)
    _bands: dict[int, list[int]] = field(default_factory=dict)
    _grams: list[Grams] = field(default_factory=list)
    _styles: list[str] = field(default_factory=list)
    _signed: Grams = field(default_factory=lambda: np.empty((256, HASHES), np.uint32))

    def is_duplicate(self, style: str, text: str) -> bool:
        """Return whether `style` has a text of the same letters."""
        return (style, letters(text)) in self._exact

    def nearest(self, style: str, text: str) -> Nearest:
        """Return how similar `text` is to the accepted texts of `style`, and of the others.

        Exact where a text is about as similar as `near`; far ones may count as 0.
        """
        grams = shingle([text]).values
        within, across, other = 0.0, 0.0, ""
        for number in self._candidates(signature(grams)):
            value = similarity(grams, self._grams[number])
            if self._styles[number] == style:
                within = max(within, value)
            elif value > across:
                across, other = value, self._styles[number]
        return Nearest(within, across, other)

    def add(self, style: str, text: str) -> None:
        """Remember an accepted text."""
        self._exact.add((style, letters(text)))
        grams = shingle([text]).values
        signed = signature(grams)
        number = len(self._grams)
        if number == len(self._signed):
            self._signed = np.concatenate([self._signed, np.empty_like(self._signed)])
        self._signed[number] = signed
        self._grams.append(grams)
        self._styles.append(style)
        for key in band_keys(signed[np.newaxis])[0].tolist():
            self._bands.setdefault(key, []).append(number)

    def _candidates(self, signed: Grams) -> list[int]:
        """Return the numbers of the texts that may be as similar as `near`."""
        keys = band_keys(signed[np.newaxis])[0].tolist()
        found = sorted({number for key in keys for number in self._bands.get(key, ())})
        if not found:
            return []
        seeming = (self._signed[found] == signed).mean(axis=1)
        kept: list[int] = np.array(found)[seeming >= self.near - SLACK].tolist()
        return kept


def judged_text(question: str, reply: str) -> str:
    """Return what duplicates are judged on: the question and the reply together."""
    return f"{question}\n{reply}"
