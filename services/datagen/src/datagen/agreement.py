"""How far a judge and people agree: kappa, Spearman, shares, each with its interval. Pure.

All of them are functions of a table (rows: people, columns: judge), so resampling rows with
replacement is drawing tables, which takes milliseconds for any number of rows.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from contracts.judge import Agreement, AgreementFigure
from datagen.rubric import LEAST, MOST

Tables = npt.NDArray[np.float64]
Statistic = Callable[[Tables], Tables]
RESAMPLES = 2000
CHOICES = ("first", "tie", "second")


def table_of(pairs: Sequence[tuple[int, int]], size: int) -> Tables:
    """Return how often people say the first and the judge the second; both from 0 to size - 1."""
    table = np.zeros((size, size))
    for person, judge in pairs:
        table[person, judge] += 1
    return table


def score_agreement(
    criterion: str, pairs: Sequence[tuple[int, int]], *, seed: int = 7
) -> Agreement:
    """Return the agreement on scores from 1 to 5: (a person's, the judge's)."""
    shifted = [(person - LEAST, judge - LEAST) for person, judge in pairs]
    table = table_of(shifted, MOST - LEAST + 1)
    return Agreement(
        criterion=criterion,
        rows=len(pairs),
        kappa=figure(table, lambda tables: kappas(tables, squared=True), seed),
        spearman=figure(table, spearmans, seed),
        equal=figure(table, lambda tables: shares(tables, 0), seed),
        near=figure(table, lambda tables: shares(tables, 1), seed),
    )


def choice_agreement(pairs: Sequence[tuple[str, str]], *, seed: int = 7) -> Agreement:
    """Return the agreement on which of two replies is better: first, tie or second."""
    found = [(CHOICES.index(person), CHOICES.index(judge)) for person, judge in pairs]
    table = table_of(found, len(CHOICES))
    return Agreement(
        criterion="preference",
        rows=len(pairs),
        kappa=figure(table, lambda tables: kappas(tables, squared=False), seed),
        equal=figure(table, lambda tables: shares(tables, 0), seed),
    )


def figure(table: Tables, statistic: Statistic, seed: int) -> AgreementFigure:
    """Return a figure of a table with its 95 % interval over resampled rows."""
    value = float(statistic(table[np.newaxis])[0])
    if np.isnan(value):
        return AgreementFigure(value=None)
    count = int(table.sum())
    chances = (table / count).ravel()
    drawn = np.random.default_rng(seed).multinomial(count, chances, size=RESAMPLES)
    found = statistic(drawn.reshape(RESAMPLES, *table.shape).astype(np.float64))
    low, high = np.quantile(found[~np.isnan(found)], [0.025, 0.975])
    return AgreementFigure(value=value, low=float(low), high=float(high))


def kappas(tables: Tables, *, squared: bool) -> Tables:
    """Return Cohen's kappa of each table; NaN where neither side ever varies.

    Args:
        tables: one for each resample.
        squared: whether a disagreement counts by its squared distance, else each the same.
    """
    size = tables.shape[-1]
    distance = np.subtract.outer(np.arange(size), np.arange(size))
    weights = distance**2 if squared else (distance != 0).astype(float)
    shares_of = tables / totals(tables)
    expected = shares_of.sum(2)[:, :, np.newaxis] * shares_of.sum(1)[:, np.newaxis, :]
    return np.asarray(
        1 - quotient((weights * shares_of).sum((1, 2)), (weights * expected).sum((1, 2)))
    )


def spearmans(tables: Tables) -> Tables:
    """Return Spearman's rank correlation of each table; NaN where one side never varies."""
    shares_of = tables / totals(tables)
    rows, columns = shares_of.sum(2), shares_of.sum(1)
    x, y = middle_ranks(rows), middle_ranks(columns)
    mean = 0.5  # of middle ranks, whatever the shares are
    both = ((x - mean)[:, :, np.newaxis] * (y - mean)[:, np.newaxis, :] * shares_of).sum((1, 2))
    spread = ((x - mean) ** 2 * rows).sum(1) * ((y - mean) ** 2 * columns).sum(1)
    return quotient(both, np.sqrt(spread))


def middle_ranks(marginals: Tables) -> Tables:
    """Return the rank of each value as a share: that of the middle of its equals."""
    return np.asarray(np.cumsum(marginals, axis=1) - marginals / 2)


def shares(tables: Tables, distance: int) -> Tables:
    """Return the share of rows whose two judgements are at most `distance` apart."""
    size = tables.shape[-1]
    near = abs(np.subtract.outer(np.arange(size), np.arange(size))) <= distance
    return quotient((tables * near).sum((1, 2)), tables.sum((1, 2)))


def totals(tables: Tables) -> Tables:
    """Return the sums of tables, so that they can be divided by them; 1 for an empty one."""
    found: Tables = np.maximum(tables.sum((1, 2), keepdims=True), 1)
    return found


def quotient(above: Tables, below: Tables) -> Tables:
    """Return above / below, NaN where there is nothing to divide by."""
    found = np.full(np.broadcast(above, below).shape, np.nan)
    np.divide(above, below, out=found, where=np.abs(below) > 1e-12)
    return found
