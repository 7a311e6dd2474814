"""The learning curve: would more rows help? Runs on a part of the rows, and a power law. Pure.

The held-out loss of a model of one shape falls with the training rows n as `floor + b * n^-c`
(Hestness et al. 2017, arXiv 1712.00409, section 3; their floor is called irreducible error). Three
runs on 25, 50 and 100 % of the rows give its three unknowns. Each run has the same number of steps,
and counts with its best checkpoint: otherwise the curve would show the steps and not the rows.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from contracts.advice import CurvePoint, RowsVerdict
from contracts.dataset import DatasetManifest
from contracts.job import JobState
from contracts.run import RunRecord, RunRequest

FRACTIONS = (0.25, 0.5, 1.0)
# Enough is what comes so close to the floor, as a share of it.
CLOSE = 0.01
# A held-out loss that differs by less than this is taken as the same: two seeds differ as much.
NOISE = 0.005
# Nobody should believe a curve of three points further than this from its last one.
FURTHEST = 100
# Exponents that are looked through. Hestness et al. measure 0.07 to 0.35 on real tasks; theory
# gives at most 1 for a finite model, and small sets of phrases that repeat come down faster.
EXPONENTS = (0.01, 4.0)
GRID = 400
ENDLESS = 100.0  # e^100 rows
# What may differ between the runs of one curve.
PACE = {"num_train_epochs", "max_steps", "eval_steps", "save_steps", "batching"}
LOWEST_PRIORITY = -10


@dataclass(frozen=True)
class PowerLaw:
    """A loss of `floor + scale * rows^-exponent`."""

    floor: float
    scale: float
    exponent: float

    def rows_within(self, share: float) -> float:
        """Return the rows at which the loss is above the floor by no more than a share of it."""
        if self.floor <= 0:
            return math.inf
        power = math.log(self.scale / (share * self.floor)) / self.exponent
        return math.exp(min(power, ENDLESS))


def fractions(request: RunRequest, epochs: float) -> list[RunRequest]:
    """Return the three runs of a curve: as asked, on a part of the rows, with no model made.

    Args:
        request: the run whose rows are in question.
        epochs: that it has, by its recipe or its overrides; a part of the rows is read as often
            more as it is smaller, so that the steps are the same.
    """
    return [
        request.model_copy(
            update={
                "data_fraction": part,
                "publish": False,
                "priority": max(LOWEST_PRIORITY, request.priority - 1),
                "overrides": request.overrides.model_copy(
                    update={"num_train_epochs": min(1000.0, epochs / part)}
                ),
            }
        )
        for part in FRACTIONS
    ]


def rows_verdict(runs: Sequence[RunRecord], dataset: DatasetManifest) -> RowsVerdict:
    """Return whether the rows of a dataset are enough.

    Args:
        runs: any; those on this dataset that differ in nothing but their rows are compared, of
            several such groups the one with the most points, and of these the newest.
        dataset: counts the rows.
    """
    points = curve_points(runs, dataset)
    if len(points) < len(FRACTIONS):
        have = ", ".join(str(point.rows) for point in points) or "none"
        why = (
            "it takes runs on 25, 50 and 100 % of the rows that differ in nothing else "
            f"(`tonesmith advise --curve`); there are runs on these many rows: {have}"
        )
        return RowsVerdict(verdict="unknown", points=points, why=why)
    return judged(points)


def curve_points(runs: Sequence[RunRecord], dataset: DatasetManifest) -> list[CurvePoint]:
    """Return the points of the best group of runs, fewest rows first."""
    groups: dict[str, dict[float, RunRecord]] = defaultdict(dict)
    newest: dict[str, float] = {}
    for run in sorted(runs, key=lambda run: run.created_at):
        if run.request.dataset_id != dataset.id or loss_of(run) is None:
            continue
        key = run.request.model_dump_json(
            include={"base_model", "recipe", "continues"}
        ) + run.request.overrides.model_dump_json(exclude=PACE)
        groups[key][run.request.data_fraction] = run
        newest[key] = run.created_at.timestamp()
    if not groups:
        return []
    best = max(groups, key=lambda key: (len(groups[key]), newest[key]))
    total = dataset.rows.get("train", 0)
    return [
        CurvePoint(run_id=run.id, rows=math.ceil(total * part), eval_loss=loss_of(run) or 0.0)
        for part, run in sorted(groups[best].items())
    ]


def loss_of(run: RunRecord) -> float | None:
    """Return the held-out loss of the checkpoint that a finished run took, or None."""
    if run.state is not JobState.DONE:
        return None
    loss = run.metrics.get("eval_loss", run.eval_loss)
    return loss if loss is not None and loss > 0 else None


def judged(points: list[CurvePoint]) -> RowsVerdict:
    """Return the verdict on three points or more, fewest rows first."""
    losses = [point.eval_loss for point in points]
    have, last = points[-1].rows, losses[-1]
    if max(losses) - min(losses) <= CLOSE * last:
        why = f"{points[0].rows} rows give the same held-out loss as {have}, within 1 %"
        return verdict("enough", points, points[0].rows, why)
    if any(later > before * (1 + NOISE) for before, later in zip(losses, losses[1:], strict=False)):
        why = "the held-out loss rises with more rows: hold out more rows, or look at them"
        return verdict("unknown", points, None, why)
    if last > losses[-2] * (1 - NOISE / 10):
        why = f"the last {have - points[-2].rows} rows changed nothing in the held-out loss"
        return verdict("enough", points, points[-2].rows, why)
    law = power_law(points)
    if law is None or law.floor < CLOSE * last:
        why = (
            "the held-out loss falls with the last rows nearly as fast as with the first: how many "
            "more are needed cannot be told yet"
        )
        return verdict("more", points, None, why)
    return by_law(points, law)


def by_law(points: list[CurvePoint], law: PowerLaw) -> RowsVerdict:
    """Return the verdict that a power law gives."""
    have, above = points[-1].rows, points[-1].eval_loss / law.floor - 1
    needed = law.rows_within(CLOSE)
    told = f"the held-out loss comes down as rows^-{law.exponent:.2f} towards {law.floor:.3f}"
    if needed <= have:
        why = f"{told}; {have} rows are within {max(above, 0):.1%} of that"
        return verdict("enough", points, math.ceil(needed), why)
    if needed > FURTHEST * have:
        why = f"{told}; more than {FURTHEST} times the rows are needed to come within 1 % of that"
        return verdict("more", points, None, why)
    why = f"{told}; {have} rows are {above:.1%} above that"
    return verdict("more", points, math.ceil(needed), why)


def verdict(what: str, points: list[CurvePoint], needed: int | None, why: str) -> RowsVerdict:
    """Return a verdict as it is told."""
    return RowsVerdict.model_validate(
        {"verdict": what, "points": points, "rows_needed": needed, "why": why}
    )


def power_law(points: Sequence[CurvePoint]) -> PowerLaw | None:
    """Return the power law through the points; None where none levels off above a loss of zero.

    For each exponent of a grid, floor and scale follow by linear least squares; the grid is then
    drawn together around the best one. With three points on such a curve the rest is zero.
    """
    low, high = EXPONENTS
    left, best = math.inf, None
    for _ in range(4):
        step = (high - low) / GRID
        tried = (fitted(points, low + step * at) for at in range(GRID + 1))
        possible = [(rest, law) for rest, law in tried if law.floor >= 0 and law.scale > 0]
        if not possible:
            return None
        left, best = min(possible, key=lambda found: found[0])
        low, high = max(EXPONENTS[0], best.exponent - step), best.exponent + step
    close = NOISE * points[-1].eval_loss
    return best if math.sqrt(left / len(points)) <= close else None


def fitted(points: Sequence[CurvePoint], exponent: float) -> tuple[float, PowerLaw]:
    """Return the sum of squares that is left, and the law, for one exponent.

    Rows count in shares of the largest number, which keeps the squares in one order of size.
    """
    most = max(point.rows for point in points)
    powers = [(point.rows / most) ** -exponent for point in points]
    losses = [point.eval_loss for point in points]
    power, loss = sum(powers) / len(powers), sum(losses) / len(losses)
    spread = sum((one - power) ** 2 for one in powers)
    pairs = zip(powers, losses, strict=True)
    slope = sum((one - power) * (each - loss) for one, each in pairs) / spread
    floor = loss - slope * power
    left = sum((each - floor - slope * one) ** 2 for one, each in zip(powers, losses, strict=True))
    return left, PowerLaw(floor, slope * most**exponent, exponent)
