"""Which of many texts may be alike: their MinHash signatures, found again by the bands they share.

A text takes 600 bytes: 120 hashes, and one link for each of the 30 bands. As lists under the keys
of a dict it would take six times as much.
"""

import numpy as np
import numpy.typing as npt

from datagen.shingles import BANDS, HASHES, ROWS, Grams, signature

# Chains of texts hang on 2**14 buckets of each band: 6 long at 100,000 texts. Whoever shares a
# bucket by chance is told apart by its signature.
BITS = 14
# A band's hashes are multiplied by these and summed; the top bits of such a sum are even.
FACTORS = np.array(
    [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xFF51AFD7ED558CCD], np.uint64
)
EVERY_BAND = np.arange(BANDS)
Links = npt.NDArray[np.int32]


class Signed:
    """The signature of one text, and its bucket in each band.

    Args:
        grams: of the text.
    """

    def __init__(self, grams: Grams) -> None:
        self.hashes = signature(grams)
        sums = (self.hashes.reshape(BANDS, ROWS) * FACTORS).sum(axis=1, dtype=np.uint64)
        self.buckets = (sums >> np.uint64(64 - BITS)).astype(np.int64)


class Bands:
    """Signatures of texts, numbered from 0 as they come."""

    def __init__(self) -> None:
        self._count = 0
        self._hashes: Grams = np.empty((256, HASHES), np.uint32)
        # Numbers are kept plus one: 0 ends a chain.
        self._heads: Links = np.zeros((BANDS, 1 << BITS), np.int32)
        self._links: Links = np.zeros((256, BANDS), np.int32)

    def __len__(self) -> int:
        return self._count

    def add(self, signed: Signed) -> None:
        """Add the signature of one more text."""
        if self._count == len(self._hashes):
            self._hashes = np.concatenate([self._hashes, np.empty_like(self._hashes)])
            self._links = np.concatenate([self._links, np.zeros_like(self._links)])
        self._hashes[self._count] = signed.hashes
        self._links[self._count] = self._heads[EVERY_BAND, signed.buckets]
        self._count += 1
        self._heads[EVERY_BAND, signed.buckets] = self._count

    def alike(self, signed: Signed, least: float) -> list[int]:
        """Return the texts that share a band and seem at least as similar as `least`, in order."""
        bands, sharing = EVERY_BAND, set[int]()
        numbers = self._heads[bands, signed.buckets]
        while (held := np.flatnonzero(numbers)).size:
            bands, numbers = bands[held], numbers[held] - 1
            sharing.update(numbers.tolist())
            numbers = self._links[numbers, bands]
        if not sharing:
            return []
        found = sorted(sharing)
        equal = np.count_nonzero(self._hashes[found] == signed.hashes, axis=1)
        seeming = zip(found, equal.tolist(), strict=True)
        return [number for number, count in seeming if count >= least * HASHES]
