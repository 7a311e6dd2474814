"""Exact and near duplicates within a style, judged on question and reply together.

Texts are compared by the Jaccard similarity of their character 4-grams: exact over the candidates
that MinHash with banding finds, so the index stays fast at 100,000 rows. See docs/adr/0008.
"""

import zlib
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import numpy.typing as npt

from datagen.text import letters

GRAM = 4
# 16 bands of 4 rows find a pair of similarity 0.8 with probability 1 - (1 - 0.8**4)**16 = 0.9998.
BANDS, ROWS = 16, 4
# Two rows of one situation with the same frame of words but another opener stay below this.
NEAR = 0.8
PRIME = np.uint64((1 << 31) - 1)
Grams = npt.NDArray[np.uint64]


@cache
def hash_constants() -> tuple[Grams, Grams]:
    """Return the factors and summands of the hash functions, the same in every process."""
    chance = np.random.default_rng(8)
    size = BANDS * ROWS
    factors = chance.integers(1, int(PRIME), size=size, dtype=np.uint64)
    summands = chance.integers(0, int(PRIME), size=size, dtype=np.uint64)
    return factors, summands


def grams(text: str) -> Grams:
    """Return the distinct hashed 4-grams of the letters of `text`, sorted."""
    plain = letters(text)
    pieces = {plain[at : at + GRAM] for at in range(max(1, len(plain) - GRAM + 1))}
    hashes = [zlib.crc32(piece.encode()) & 0x7FFFFFFF for piece in pieces]
    return np.unique(np.array(hashes, dtype=np.uint64))


def similarity(one: Grams, other: Grams) -> float:
    """Return the Jaccard similarity of two sorted sets, 0 to 1."""
    common = np.intersect1d(one, other, assume_unique=True).size
    return float(common / (one.size + other.size - common))


def band_keys(values: Grams) -> list[bytes]:
    """Return one key for each band; similar texts share at least one."""
    factors, summands = hash_constants()
    # factor * value stays below 2**62, so nothing overflows.
    table = (np.multiply.outer(values, factors) + summands) % PRIME
    signature = table.min(axis=0).reshape(BANDS, ROWS)
    return [bytes([band]) + signature[band].tobytes() for band in range(BANDS)]


@dataclass
class DuplicateIndex:
    """The accepted texts of one dataset, by style.

    Args:
        near: similarity from which two texts count as near duplicates.
    """

    near: float = NEAR
    _exact: set[tuple[str, str]] = field(default_factory=set)
    _bands: dict[tuple[str, bytes], list[int]] = field(default_factory=dict)
    _grams: list[Grams] = field(default_factory=list)

    def is_duplicate(self, style: str, text: str) -> bool:
        """Return whether `style` has a text of the same letters."""
        return (style, letters(text)) in self._exact

    def nearest(self, style: str, text: str) -> float:
        """Return the highest similarity of `text` to an accepted text of `style`, 0 to 1."""
        values = grams(text)
        found = {
            number for key in band_keys(values) for number in self._bands.get((style, key), ())
        }
        return max((similarity(values, self._grams[number]) for number in found), default=0.0)

    def add(self, style: str, text: str) -> None:
        """Remember an accepted text."""
        self._exact.add((style, letters(text)))
        values = grams(text)
        self._grams.append(values)
        for key in band_keys(values):
            self._bands.setdefault((style, key), []).append(len(self._grams) - 1)


def judged_text(question: str, reply: str) -> str:
    """Return what duplicates are judged on: the question and the reply together."""
    return f"{question}\n{reply}"
