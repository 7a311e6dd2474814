"""The win rate between replies of equal length, by regression as in AlpacaEval 2. Pure.

Length-Controlled AlpacaEval (arXiv 2404.04475) models a win by a logistic regression on who
speaks and on tanh of the standardised difference in length, and reads the win rate at difference
0. A small ridge keeps both terms finite where one side wins all; a judge that only counts
characters so gains nothing as long as the lengths vary.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from contracts.interval import Interval
from contracts.proof import Figure

Floats = npt.NDArray[np.float64]
# Of both terms: a prior of standard deviation 3, so that 95 % lie between odds of 1:350 and 350:1.
RIDGE = 1 / 9
STEPS = 25
ROUNDS = 400
# Fewer judged pairs than this say nothing about two terms.
LEAST_PAIRS = 8


def length_controlled(
    points: Sequence[float], longer_by: Sequence[int], *, seed: int
) -> Figure | None:
    """Return the win rate of the first reply at equal length; None with too few pairs.

    Args:
        points: 1 for a win of the first reply, 0.5 for a tie, 0 for a loss.
        longer_by: characters by which the first reply was longer, before any cut.
        seed: of the bootstrap over pairs.
    """
    won = np.asarray(points, np.float64)
    gaps = np.asarray(longer_by, np.float64)
    if len(won) < LEAST_PAIRS:
        return None
    terms = np.stack([np.ones_like(gaps), np.tanh(gaps / (gaps.std() or 1.0))], axis=1)
    drawn = np.random.default_rng(seed).integers(0, len(won), size=(ROUNDS, len(won)))
    low, high = np.quantile(even_rate(terms[drawn], won[drawn]), [0.025, 0.975])
    value = float(even_rate(terms[np.newaxis], won[np.newaxis])[0])
    return Figure(value=value, interval=Interval(low=float(low), high=float(high)), count=len(won))


def even_rate(terms: Floats, won: Floats) -> Floats:
    """Return the win rate at no difference in length, of each sample (Newton's method)."""
    weights = np.zeros((len(terms), 2))
    ridge = RIDGE * np.eye(2)
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-(terms @ weights[:, :, np.newaxis])[..., 0]))
        slope = (terms * (won - chance)[..., np.newaxis]).sum(1) - RIDGE * weights
        bend = (terms * (chance * (1 - chance))[..., np.newaxis]).transpose(0, 2, 1) @ terms
        step = np.linalg.solve(bend + ridge, slope[..., np.newaxis])[..., 0]
        weights += np.clip(step, -2, 2)
    rate: Floats = 1 / (1 + np.exp(-weights[:, 0]))
    return rate
