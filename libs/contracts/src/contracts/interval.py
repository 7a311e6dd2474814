"""The interval of a figure; figures of every kind share it."""

from contracts.model import Recorded


class Interval(Recorded):
    """A 95 % confidence interval."""

    low: float
    high: float
