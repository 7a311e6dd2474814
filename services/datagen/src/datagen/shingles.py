"""Texts as sets of hashed 3-grams, and MinHash signatures of them: on numpy, many texts at once.

Only letters and digits count (`text.letters`): punctuation, emoji and case make no other text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from datagen.text import letters

GRAM = 3
# 30 bands of 4 hashes: a pair of similarity 0.7 shares a band with probability
# 1 - (1 - 0.7**4)**30 = 0.9997, one of 0.6 with 0.98, one of 0.2 with 0.05.
BANDS, ROWS = 30, 4
HASHES = BANDS * ROWS
# Grams hashed at once: a block and its products stay in the processor's cache.
BLOCK_TEXTS = 512
Grams = npt.NDArray[np.uint32]
Numbers = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Shingles:
    """The sorted, distinct grams of many texts, one text after the other.

    Attributes:
        values: hashed grams.
        starts: where each text begins in `values`, and at the end where the last one stops.
    """

    values: Grams
    starts: Numbers

    def __len__(self) -> int:
        return len(self.starts) - 1

    def of(self, number: int) -> Grams:
        """Return the grams of one text."""
        return self.values[self.starts[number] : self.starts[number + 1]]


def shingle(texts: Sequence[str]) -> Shingles:
    """Return the grams of `texts`; a text of fewer than 3 letters has one."""
    parts = [distinct(texts[at : at + 8192]) for at in range(0, len(texts), 8192)]
    sizes = np.concatenate([np.zeros(1, np.int64), *(sizes for _, sizes in parts)])
    values = [values for values, _ in parts] or [np.zeros(0, np.uint32)]
    return Shingles(np.concatenate(values), np.cumsum(sizes))


def distinct(texts: Sequence[str]) -> tuple[Grams, Numbers]:
    """Return the distinct grams of each text, and how many each has."""
    plain = [letters(text).ljust(GRAM, "\0") for text in texts]
    sizes = np.array([len(text) for text in plain], np.int64)
    codes = np.frombuffer("".join(plain).encode("utf-32-le", "surrogatepass"), np.uint32)
    hashed = mixed(rolling(codes))
    owner = np.repeat(np.arange(len(plain), dtype=np.uint64), sizes)
    # A window belongs to the text in which it starts; those that run over its end go.
    whole = owner[: hashed.size] == owner[GRAM - 1 :]
    keys = np.unique((owner[: hashed.size][whole] << np.uint64(32)) | hashed[whole])
    counts = np.bincount((keys >> np.uint64(32)).astype(np.int64), minlength=len(plain))
    return (keys & np.uint64(0xFFFFFFFF)).astype(np.uint32), counts.astype(np.int64)


def grams(plain: str) -> Grams:
    """Return the grams of one text, by its letters: as `shingle`, without what a batch needs."""
    codes = np.frombuffer(plain.ljust(GRAM, "\0").encode("utf-32-le", "surrogatepass"), np.uint32)
    hashed = np.sort(mixed(rolling(codes)).astype(np.uint32))
    first = np.concatenate([[True], hashed[1:] != hashed[:-1]])
    return np.asarray(hashed[first], np.uint32)


def rolling(codes: npt.NDArray[np.uint32]) -> Keys:
    """Return one number for each window of 3 code points."""
    wide = codes.astype(np.uint64)
    size = max(0, wide.size - GRAM + 1)
    total = np.zeros(size, np.uint64)
    for place in range(GRAM):  # code points have 21 bits: a product by a large odd keeps them apart
        total = total * np.uint64(0x9E3779B97F4A7C15) + wide[place : place + size]
    return total


def mixed(values: Keys) -> Keys:
    """Return `values` scrambled to 32 even bits (the finaliser of MurmurHash3)."""
    values = (values ^ (values >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    values = (values ^ (values >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return values >> np.uint64(32)


def similarity(one: Grams, other: Grams) -> float:
    """Return the Jaccard similarity of two sorted sets, 0 to 1."""
    common = np.intersect1d(one, other, assume_unique=True).size
    return float(common / (one.size + other.size - common))


@cache
def hash_constants() -> tuple[Grams, Grams]:
    """Return odd factors and summands of the hash functions, the same in every process."""
    chance = np.random.default_rng(8)
    factors = chance.integers(1, 1 << 32, size=HASHES, dtype=np.uint32) | np.uint32(1)
    return factors, chance.integers(0, 1 << 32, size=HASHES, dtype=np.uint32)


def signatures(shingles: Shingles) -> Grams:
    """Return one row of MinHash values for each text."""
    found = np.empty((len(shingles), HASHES), np.uint32)
    for first in range(0, len(shingles), BLOCK_TEXTS):
        starts = shingles.starts[first : first + BLOCK_TEXTS + 1]
        block = shingles.values[starts[0] : starts[-1]]
        offsets = starts[:-1] - starts[0]
        for number, (factor, summand) in enumerate(zip(*hash_constants(), strict=True)):
            # Unsigned products wrap around: factor * x + summand is a permutation of 32 bits.
            hashed = block * factor + summand
            found[first : first + BLOCK_TEXTS, number] = np.minimum.reduceat(hashed, offsets)
    return found


def signature(values: Grams) -> Grams:
    """Return the MinHash values of one text: as `signatures`, without its loop."""
    factors, summands = hash_constants()
    table = values[:, np.newaxis] * factors
    table += summands
    return np.asarray(table.min(axis=0), np.uint32)


def band_keys(signed: Grams) -> Keys:
    """Return 30 keys for each signature; similar texts share at least one."""
    parts = signed.reshape(len(signed), BANDS, ROWS).astype(np.uint64)
    keys = np.broadcast_to(np.arange(BANDS, dtype=np.uint64), (len(signed), BANDS)).copy()
    for place in range(ROWS):
        keys = keys * np.uint64(0x9E3779B97F4A7C15) + parts[:, :, place]
    values = (keys ^ (keys >> np.uint64(29))) * np.uint64(0xFF51AFD7ED558CCD)
    return values ^ (values >> np.uint64(32))
