"""Which tone is a reply in? Naive Bayes over character n-grams, each row judged without itself.

Needs no training run and no library but numpy: a pass over 50,000 short replies takes seconds.
It sees replies only. A row's own n-grams are taken out of its style before it is judged
(leave-one-out), so few rows are enough and none is recognised by its own words.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

ORDERS = (1, 2, 3, 4)
# Hash buckets: of 50,000 composed replies of twelve styles every one was recognised with these.
BITS = 18
BUCKETS, SHIFT = 1 << BITS, np.uint64(64 - BITS)
PRIME = np.uint64(0x9E3779B97F4A7C15)
# Of additive smoothing, in rows: small, since nearly every n-gram is absent from nearly every row.
SMOOTHING = 0.05
Numbers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Tones:
    """What the judge makes of each row.

    Attributes:
        nearest: index of the likeliest style.
        margins: mean log-likelihood of the own style minus that of the best other one, for each
            n-gram; below 0 where another style is likelier, 0 where there is no other.
    """

    nearest: Numbers
    margins: Floats


@dataclass(frozen=True)
class Grams:
    """The distinct hashed n-grams of all rows, row after row."""

    rows: Numbers
    buckets: Numbers
    count: int


def grams_of(replies: Sequence[str]) -> Grams:
    """Return the distinct n-grams of each reply."""
    texts = [np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32) for text in replies]
    codes = np.concatenate([*texts, np.zeros(0, np.uint32)]).astype(np.uint64)
    owners = np.repeat(np.arange(len(texts)), [text.size for text in texts])
    keys = [one_order(codes, owners, order) for order in ORDERS]
    # Sorted here: numpy's `unique` goes by hashing and takes five times as long.
    every = np.sort(np.concatenate(keys))
    distinct = every[np.diff(every, prepend=-1) != 0]
    return Grams(distinct // BUCKETS, distinct % BUCKETS, len(texts))


def one_order(codes: npt.NDArray[np.uint64], owners: Numbers, order: int) -> Numbers:
    """Return `row * BUCKETS + bucket` of every n-gram of one order; none spans two rows."""
    size = codes.size - order + 1
    if size <= 0:
        return np.zeros(0, np.int64)
    hashes = np.full(size, order, np.uint64)
    for at in range(order):  # wraps around 2**64, as a hash may
        hashes = (hashes ^ codes[at : at + size]) * PRIME
    buckets = (hashes >> SHIFT).astype(np.int64)
    inside = owners[:size] == owners[order - 1 :]
    return np.asarray((owners[:size] * BUCKETS + buckets)[inside], np.int64)


def judge_tones(
    replies: Sequence[str],
    styles: Sequence[int],
    rivals: npt.NDArray[np.bool_],
    known: Sequence[bool] | None = None,
) -> Tones:
    """Judge each reply by all the others.

    Args:
        replies: the rows.
        styles: the index of each row's style.
        rivals: a square table: which styles a row of a style may be taken for (same language).
        known: which rows teach the judge; every one by default.
    """
    found, own = grams_of(replies), np.asarray(styles, np.int64)
    teaches = np.ones(found.count, bool) if known is None else np.asarray(known, bool)
    sums = np.stack([likelihoods(found, own, teaches, s) for s in range(len(rivals))], axis=1)
    sizes = np.maximum(np.bincount(found.rows, minlength=found.count), 1)
    means = sums / sizes[:, None]
    allowed = rivals[own].copy()
    allowed[np.arange(found.count), own] = True
    means[~allowed] = -np.inf
    nearest = means.argmax(axis=1)
    mine = means[np.arange(found.count), own]
    means[np.arange(found.count), own] = -np.inf
    best = means.max(axis=1)
    return Tones(nearest, np.where(np.isinf(best), 0.0, mine - best))


def likelihoods(found: Grams, own: Numbers, teaches: npt.NDArray[np.bool_], style: int) -> Floats:
    """Return the log-likelihood of each row under one style, that row itself left out of it."""
    members = (own == style) & teaches
    inside = members[found.rows]
    counts = np.bincount(found.buckets[inside], minlength=BUCKETS)
    total = int(members.sum())
    values = log_shares(counts, total)[found.buckets]
    values[inside] = log_shares(counts - 1, total - 1)[found.buckets[inside]]
    return np.asarray(np.bincount(found.rows, values, minlength=found.count), np.float64)


def log_shares(counts: Numbers, total: int) -> Floats:
    """Return the smoothed log share of a style's rows that hold the n-gram of each bucket."""
    present = np.maximum(counts, 0)
    return np.log((present + SMOOTHING) / (max(total, 0) + 2 * SMOOTHING))
