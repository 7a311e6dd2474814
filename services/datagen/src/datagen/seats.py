"""Two replies in two seats: cut to one length, judged in both orders, a flip is a tie. Pure.

A judge that always prefers one seat so ends in ties only; one that prefers the longer reply sees
two of one length, as EQ-Bench 3 cuts them. Shipped verdicts flip in 12.9 % of the cases when the
seats swap, and 68.0 % go to the longer answer (lm-sys/FastChat#3911, n = 2,999).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.interval import Interval
from contracts.judge import PairOutcome
from contracts.proof import Figure
from datagen.bootstrap import mean_figure, share_figure
from datagen.judge_answers import Better

NOTHING = Figure(value=0.5, interval=Interval(low=0.0, high=1.0), count=0)


def level(first: str, second: str) -> tuple[str, str]:
    """Return both replies cut to the length of the shorter one, in characters."""
    one, other = first.strip(), second.strip()
    size = min(len(one), len(other))
    return one[:size], other[:size]


def settled(straight: Better, swapped: Better) -> PairOutcome:
    """Return who won: `straight` has the first reply in seat A, `swapped` in seat B.

    Only a judge that names the same reply twice names a winner.
    """
    if straight == "A" and swapped == "B":
        return "first"
    if straight == "B" and swapped == "A":
        return "second"
    return "tie"


def flipped(straight: Better, swapped: Better) -> bool:
    """Return whether the judge chose the same seat twice, so another reply each time."""
    return straight == swapped != "tie"


@dataclass(frozen=True)
class Tally:
    """How pairs ended, from the first reply's side; those without a verdict are left out.

    Attributes:
        wins, ties, losses: numbers of pairs.
        rate: wins and half of the ties / pairs, with its interval; 0.5 where there is none.
    """

    wins: int
    ties: int
    losses: int
    rate: Figure


def worth(outcomes: Sequence[PairOutcome]) -> list[float]:
    """Return what each judged pair is worth to the first reply: 1, 0.5 for a tie, 0."""
    known = {"first": 1.0, "tie": 0.5, "second": 0.0}
    return [known[outcome] for outcome in outcomes if outcome in known]


def tally(outcomes: Sequence[PairOutcome], *, seed: int = 7) -> Tally:
    """Return how the pairs ended."""
    points = worth(outcomes)
    ties = points.count(0.5)
    if points and not ties:  # wins only would leave a bootstrap nothing to draw
        rate = share_figure([point == 1 for point in points])
    else:
        rate = mean_figure(points, seed=seed) if points else NOTHING
    return Tally(wins=points.count(1.0), ties=ties, losses=points.count(0.0), rate=rate)
