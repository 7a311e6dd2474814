"""Every near-duplicate pair of a whole dataset, within and across styles, in seconds.

MinHash with banding proposes pairs, the signatures sort most of them out, and what is left is
compared exactly (Jaccard similarity of character 3-grams). `benchmarks/duplicates.py` measures
time, memory and recall.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from datagen.shingles import Grams, Keys, Numbers, Shingles, band_keys, shingle, signatures

# Below this, pairs are not looked for: the bands would miss too many of them.
FLOOR = 0.6
# Standard error of a signature's estimate at 0.6 is 0.045.
SLACK = 0.13
# A key that more texts share compares each of them with so many before it, and with the first:
# a template repeated 10,000 times must not take 50 million comparisons.
WINDOW = 64
BLOCK_PAIRS = 1 << 18
EXACT_PAIRS = 1 << 14


@dataclass(frozen=True)
class Pairs:
    """Pairs of row numbers, `earlier` < `later`, with their similarity (0 to 1)."""

    earlier: Numbers
    later: Numbers
    similarity: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.earlier)


def near_pairs(texts: Sequence[str], floor: float = FLOOR) -> Pairs:
    """Return the pairs of `texts` whose similarity is `floor` or more.

    Where many texts are the same, each is paired with some of them, not with all.
    """
    shingles = shingle(texts)
    signed = signatures(shingles)
    found = [np.zeros(0, np.uint64)]
    keys = band_keys(signed)
    for band in range(keys.shape[1]):
        for earlier, later in proposals(keys[:, band]):
            found.append(packed(*seeming(signed, earlier, later, floor - SLACK)))
    distinct = np.unique(np.concatenate(found))
    earlier = (distinct >> np.uint64(32)).astype(np.int64)
    later = (distinct & np.uint64(0xFFFFFFFF)).astype(np.int64)
    exact = similarities(shingles, earlier, later)
    near = exact >= floor
    return Pairs(earlier[near], later[near], exact[near])


def packed(earlier: Numbers, later: Numbers) -> Keys:
    """Return one number for each pair."""
    return (earlier.astype(np.uint64) << np.uint64(32)) | later.astype(np.uint64)


def proposals(keys: Keys) -> Iterator[tuple[Numbers, Numbers]]:
    """Yield blocks of pairs of rows whose key is equal."""
    order = np.argsort(keys, kind="stable").astype(np.int64)
    ordered = keys[order]
    begins = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    group = np.repeat(np.arange(len(begins)), np.diff(np.append(begins, len(keys))))
    place = np.arange(len(keys)) - begins[group]  # of a row within those of its key
    for distance in range(1, WINDOW + 1):
        later = np.flatnonzero(place >= distance)
        if not later.size:
            return
        yield from blocks(order[later - distance], order[later])
    far = np.flatnonzero(place > WINDOW)
    yield from blocks(order[begins[group[far]]], order[far])


def blocks(earlier: Numbers, later: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
    """Yield the pairs in blocks that fit into memory."""
    for at in range(0, len(earlier), BLOCK_PAIRS):
        yield earlier[at : at + BLOCK_PAIRS], later[at : at + BLOCK_PAIRS]


def seeming(
    signed: Grams, earlier: Numbers, later: Numbers, least: float
) -> tuple[Numbers, Numbers]:
    """Return those of the pairs that seem at least so similar by their signatures."""
    agree = (signed[earlier] == signed[later]).mean(axis=1)
    return earlier[agree >= least], later[agree >= least]


def similarities(shingles: Shingles, earlier: Numbers, later: Numbers) -> npt.NDArray[np.float64]:
    """Return the exact Jaccard similarity of each pair."""
    found = [
        block_similarities(shingles, earlier[at : at + EXACT_PAIRS], later[at : at + EXACT_PAIRS])
        for at in range(0, len(earlier), EXACT_PAIRS)
    ]
    return np.concatenate([np.zeros(0), *found])


def block_similarities(
    shingles: Shingles, earlier: Numbers, later: Numbers
) -> npt.NDArray[np.float64]:
    """Return the similarities of one block: a gram that comes twice in a pair is shared."""
    one, other = tagged(shingles, earlier), tagged(shingles, later)
    merged = np.sort(np.concatenate([one, other]), kind="stable")
    twice = merged[1:][merged[1:] == merged[:-1]]
    common = np.bincount((twice >> np.uint64(32)).astype(np.int64), minlength=len(earlier))
    sizes = np.diff(shingles.starts)
    return np.asarray(common / (sizes[earlier] + sizes[later] - common), np.float64)


def tagged(shingles: Shingles, rows: Numbers) -> Keys:
    """Return the grams of `rows`, each with the place of its row in front."""
    sizes = shingles.starts[rows + 1] - shingles.starts[rows]
    owner = np.repeat(np.arange(len(rows)), sizes)
    ends = np.cumsum(sizes)
    within = np.arange(int(ends[-1]) if len(ends) else 0) - (ends - sizes)[owner]
    values = shingles.values[shingles.starts[rows][owner] + within]
    return np.asarray((owner << np.int64(32)) | values, np.uint64)
