"""Figures with 95 % intervals, and differences between contestants over the same questions. Pure.

Means have a BCa bootstrap over questions (Efron and Tibshirani, An Introduction to the Bootstrap,
1993, chapter 14): it corrects the percentile interval for bias and for the skew that probabilities
near 0 or 1 have. Shares keep Wilson's interval: all right in 20 of 20 leaves a bootstrap nothing to
draw, and it would say "100 % to 100 %". The p value of a difference comes from flipping the signs
of the paired differences at random, which is exact however they are distributed; several pairs are
corrected by Holm (1979).
"""

from collections.abc import Iterator, Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from contracts.interval import Interval
from contracts.proof import Figure
from datagen.scores import RESAMPLES, Z95, share, wilson

Floats = npt.NDArray[np.float64]
NORMAL = NormalDist()
LEVELS = (0.025, 0.975)
FLIPS = 4000
EQUAL = 1e-9  # values nearer than this differ by rounding only
HALVES = 200


def share_figure(marks: Sequence[bool]) -> Figure:
    """Return the share of true `marks` with its Wilson interval."""
    interval = wilson(sum(marks), len(marks))
    return Figure(value=share(marks), interval=interval, count=len(marks))


def mean_figure(
    values: Sequence[float], *, seed: int, bounds: tuple[float, float] = (0.0, 1.0)
) -> Figure:
    """Return the mean of `values`, one for each question, with its BCa interval.

    Args:
        values: of the questions.
        seed: the same seed gives the same interval.
        bounds: what the mean may be: the interval where there are fewer than two values.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if len(numbers) < 2:
        value = float(numbers[0]) if len(numbers) else 0.0
        interval = Interval(low=bounds[0], high=bounds[1])
        return Figure(value=value, interval=interval, count=len(numbers))
    return Figure(value=float(numbers.mean()), interval=bca(numbers, seed), count=len(numbers))


def bca(values: Floats, seed: int) -> Interval:
    """Return the BCa interval of the mean of `values`, of which there are two or more."""
    middle = float(values.mean())
    if np.ptp(values) < EQUAL:
        return Interval(low=middle, high=middle)
    means = np.sort(resampled(values, seed))
    # The same values in another order have the same mean, whatever rounding makes of it.
    level = np.abs(means - middle) <= EQUAL
    below = (np.sum((means < middle) & ~level) + np.sum(level) / 2) / len(means)
    bias = NORMAL.inv_cdf(float(np.clip(below, 1 / len(means), 1 - 1 / len(means))))
    left_out = (values.sum() - values) / (len(values) - 1)
    spread = left_out.mean() - left_out
    pull = float(np.sum(spread**3) / (6 * np.sum(spread**2) ** 1.5))
    low, high = (float(np.quantile(means, shifted(level, bias, pull))) for level in LEVELS)
    return Interval(low=low, high=high)


def shifted(level: float, bias: float, pull: float) -> float:
    """Return the level of the resampled means that stands for `level`, by bias and acceleration."""
    score = bias + NORMAL.inv_cdf(level)
    return NORMAL.cdf(bias + score / (1 - pull * score))


def resampled(values: Floats, seed: int) -> Floats:
    """Return RESAMPLES means of questions drawn with replacement."""
    chance = np.random.default_rng(seed)
    drawn = chance.integers(0, len(values), size=(RESAMPLES, len(values)))
    means: Floats = values[drawn].mean(axis=1)
    return means


def distinct_figure(texts: Sequence[str], size: int, *, seed: int) -> Figure:
    """Return the distinct / all windows of `size` characters of `texts` together.

    It is no mean of questions, and drawing with replacement would repeat texts and so lower it:
    halves are drawn without, whose spread is that of the whole (Politis, Romano and Wolf,
    Subsampling, 1999: half of the texts, scaled by the half that was not drawn).
    """
    kinds = [frozenset(windows(text, size)) for text in texts]
    lengths = [max(0, len(text) - size + 1) for text in texts]

    def distinct_share(places: Sequence[int]) -> float:
        total = sum(lengths[place] for place in places)
        return len(frozenset().union(*(kinds[place] for place in places))) / total if total else 0.0

    value, half = distinct_share(range(len(texts))), len(texts) // 2
    if half < 2:
        return Figure(value=value, interval=Interval(low=0.0, high=1.0), count=len(texts))
    chance = np.random.default_rng(seed)
    drawn = [chance.choice(len(texts), half, replace=False).tolist() for _ in range(HALVES)]
    reach = Z95 * float(np.std([distinct_share(places) for places in drawn]))
    interval = Interval(low=max(0.0, value - reach), high=min(1.0, value + reach))
    return Figure(value=value, interval=interval, count=len(texts))


def windows(text: str, size: int) -> Iterator[str]:
    """Yield every window of `size` characters of `text`."""
    return (text[place : place + size] for place in range(len(text) - size + 1))


def difference_figure(first: Sequence[float], second: Sequence[float], *, seed: int) -> Figure:
    """Return the mean of first minus second, question by question, with its BCa interval."""
    gains = [one - other for one, other in zip(first, second, strict=True)]
    return mean_figure(gains, seed=seed, bounds=(-1.0, 1.0))


def flip_p(first: Sequence[float], second: Sequence[float], *, seed: int) -> float:
    """Return the two-sided p value of the paired difference, by FLIPS random sign flips."""
    gains = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    if not gains.any():
        return 1.0
    chance = np.random.default_rng(seed)
    signs = chance.integers(0, 2, size=(FLIPS, len(gains)), dtype=np.int8) * 2 - 1
    # Rounding must not make a flip that changes nothing look smaller than what was found.
    reached = np.abs(signs @ gains) >= abs(gains.sum()) - EQUAL
    return float((reached.sum() + 1) / (FLIPS + 1))


def holm(values: Sequence[float]) -> list[float]:
    """Return the p values corrected for their number (Holm 1979), in their order."""
    corrected = [0.0] * len(values)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        highest = max(highest, min(1.0, (len(values) - rank) * values[place]))
        corrected[place] = highest
    return corrected
