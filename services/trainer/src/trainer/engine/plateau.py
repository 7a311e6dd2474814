"""Say from the logged losses alone when more training is of no use. Pure; counts steps, not time.

The score: a bias-corrected moving average of the train loss (EMA, half-life in steps);
`loss_improvement_ratio` = (EMA[s-W] - EMA[s]) / |EMA[s-W]|; `plateau_steps` = steps since the best
EMA improved by more than `min_delta`; `loss_noise_ratio` = standard deviation around the EMA / EMA.

Three verdicts, none of them before `min_steps`:
    flat      no better EMA for `patience` steps, no fall that shows through the noise, and the
              held-out loss no better for `eval_patience` evaluations. Without held-out rows the
              noise must be small enough to exclude a fall.
    overfit   the held-out loss rose for `eval_patience` evaluations while the train loss fell.
    diverged  the train loss rose for good.

A bump that is over within the patience (double descent) stops nothing. A held-out loss that rises
for longer, and would fall again after that, does: nothing tells it from overfitting.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from math import sqrt
from typing import Any, Literal, NamedTuple

Reason = Literal["flat", "overfit", "diverged"]

# For a plan that leaves a value out: fit for a run of some hundred steps, logged every ten.
MIN_DELTA = 0.005
HALF_LIFE = 20
WINDOW = 50
PATIENCE = 100
MIN_STEPS = 200
EVAL_PATIENCE = 3
# A trend counts if it is more than twice its standard error (one-sided 97.5 %).
SIGNIFICANT = 2.0
# Without held-out rows a fall of so many `min_delta` in `patience` steps must be excluded.
EXCLUDED_FALL = 4.0
SURE = 4.0  # standard errors: it is looked at again and again, and once is enough to stop
# The held-out loss must be so many `min_delta` above its best; after twice the patience, one.
OVERFIT_RISE = 4.0
FAR_RISE = 0.2  # a fifth above its best: half of the patience is enough
# A train loss this much above its best is no plateau any more.
DIVERGED_RISE = 0.2
LOST = 1.0  # above the very first loss: twice as much, and the run is worse than none
RETURN = 4.0  # patiences within which a falling loss must be back to count as a bump
# On a plateau the EMA stays within so many `min_delta`, and so many of its own standard deviations.
FLAT_RANGE = 4.0
# An EMA of less than a half-life is hardly smoothed: a lucky first loss would stay the best.
SMOOTHED = 0.5
# Until the loss has once fallen so far it may be in its warm-up, and patience counts double.
LEARNED = 0.05
TINY = 1e-12  # instead of dividing by a loss of zero


@dataclass(frozen=True)
class Parameters:
    """When to stop; all but `min_delta` (relative) and `eval_patience` (evaluations) in steps."""

    min_delta: float = MIN_DELTA
    half_life: float = HALF_LIFE
    window: int = WINDOW
    patience: int = PATIENCE
    min_steps: int = MIN_STEPS
    eval_patience: int = EVAL_PATIENCE

    @classmethod
    def of(cls, plan: dict[str, Any] | None) -> "Parameters":
        """Return the parameters in `plan`; what it leaves out keeps its default."""
        given = plan or {}
        return cls(**{each.name: given[each.name] for each in fields(cls) if each.name in given})


class Verdict(NamedTuple):
    """Why the run should end, and a sentence about it."""

    reason: Reason
    detail: str


class Point(NamedTuple):
    """A logged train loss, and the EMA with it."""

    step: int
    loss: float
    smooth: float


class Trend(NamedTuple):
    """A straight line through points: the relative fall over a stretch, and its standard error."""

    fall: float
    error: float

    @property
    def falls(self) -> bool:
        """Whether it shows through the noise."""
        return self.fall > SIGNIFICANT * self.error


def trend(points: Sequence[tuple[float, float]], stretch: float) -> Trend:
    """Return the least-squares fall of (step, value) over `stretch` steps, relative to the mean.

    With less than three points the error is infinite: nothing shows.
    """
    count = len(points)
    if count < 3:
        return Trend(0.0, float("inf"))
    middle, mean = (sum(values) / count for values in zip(*points, strict=True))
    spread = sum((step - middle) ** 2 for step, _ in points)
    slope = sum((step - middle) * (value - mean) for step, value in points) / spread
    rest = sum((value - mean - slope * (step - middle)) ** 2 for step, value in points)
    scale = stretch / max(abs(mean), TINY)
    return Trend(-slope * scale, sqrt(rest / (count - 2) / spread) * scale)


class Plateau:
    """Follows the losses of one run.

    Args:
        parameters: when to stop.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.points: list[Point] = []
        self.evals: list[tuple[int, float]] = []
        self.best = Point(0, float("inf"), float("inf"))
        self.evals_since_best = 0
        self._eval_best = (0, float("inf"))
        self._sum = self._weight = self._square = self._square_weight = 0.0

    def replay(self, history: Iterable[dict[str, Any]]) -> None:
        """Take in the Trainer's own log of a run that is resumed, so that it decides the same."""
        for entry in history:
            if "loss" in entry:
                self.train(int(entry["step"]), float(entry["loss"]))
            elif "eval_loss" in entry:
                self.evaluate(int(entry["step"]), float(entry["eval_loss"]))

    def train(self, step: int, loss: float) -> Verdict | None:
        """Take in a train loss (the mean since the last one); return the verdict, if any."""
        gap = step - (self.points[-1].step if self.points else 0)
        kept = 0.5 ** (max(gap, 1) / self.parameters.half_life)
        if self.points:
            residual = loss - self.points[-1].smooth
            self._square = kept * self._square + (1 - kept) * residual * residual
            self._square_weight = kept * self._square_weight + 1 - kept
        self._sum = kept * self._sum + (1 - kept) * loss
        self._weight = kept * self._weight + 1 - kept
        point = Point(step, loss, self._sum / self._weight)
        self.points.append(point)
        hardly = self._weight < SMOOTHED
        if hardly or better(point.smooth, self.best.smooth, self.parameters.min_delta):
            self.best = point
        return self.verdict()

    def evaluate(self, step: int, loss: float) -> Verdict | None:
        """Take in a held-out loss; return the verdict, if any."""
        self.evals.append((step, loss))
        self.evals_since_best += 1
        if better(loss, self._eval_best[1], self.parameters.min_delta):
            self._eval_best = (step, loss)
            self.evals_since_best = 0
        return self.verdict()

    def verdict(self) -> Verdict | None:
        """Return why the run should end now, or None."""
        if not self.points or self.points[-1].step < self.parameters.min_steps:
            return None
        if self._diverged():
            best = min(self.best.smooth, self.points[0].loss)
            rise = -relative_fall(best, self.points[-1].smooth)
            said = f"the train loss is {rise:.0%} above {best:.4g} and does not come back"
            return Verdict("diverged", said)
        if self._overfit():
            step, loss = self._eval_best
            said = (
                f"the held-out loss rose from {loss:.4g} (step {step}) to {self.evals[-1][1]:.4g}"
            )
            said += f" in {self.evals_since_best} evaluations while the train loss fell"
            return Verdict("overfit", said)
        if self._flat():
            tail = f" and {self.evals_since_best} evaluations" if self.evals else ""
            said = f"no loss fell by {self.parameters.min_delta:.1%} for {self.plateau_steps} steps"
            return Verdict("flat", said + tail)
        return None

    @property
    def plateau_steps(self) -> int:
        """Steps since the best EMA improved by more than `min_delta`."""
        return self.points[-1].step - self.best.step if self.points else 0

    @property
    def patience_steps(self) -> int:
        """Steps without improvement that are waited for: double in what may be the warm-up."""
        start = self.points[0].loss if self.points else 0.0
        learned = better(self.best.smooth, start, LEARNED)
        return self.parameters.patience * (1 if learned else 2)

    def figures(self) -> dict[str, float]:
        """Return the score under the names of its metrics; what is not known yet is left out."""
        found: dict[str, float] = {}
        if self.points:
            now = self.points[-1]
            found |= {
                "loss_smoothed": now.smooth,
                "plateau_steps": float(self.plateau_steps),
                "plateau_patience_steps": float(self.patience_steps),
            }
            if self._square_weight:
                deviation = sqrt(self._square / self._square_weight)
                found["loss_noise_ratio"] = deviation / max(abs(now.smooth), TINY)
            if before := self._before(now.step - self.parameters.window):
                found["loss_improvement_ratio"] = relative_fall(before.smooth, now.smooth)
        if self.evals:
            found["evals_since_best"] = float(self.evals_since_best)
            found["best_eval_loss"] = min(loss for _, loss in self.evals)
        return found

    def _before(self, step: int) -> Point | None:
        """Return the newest point that is not after `step`."""
        return next((point for point in reversed(self.points) if point.step <= step), None)

    def _since(self, step: float) -> list[tuple[float, float]]:
        """Return the raw losses after `step`."""
        return [(point.step, point.loss) for point in self.points if point.step > step]

    def _confirmed(self) -> bool:
        """Return whether the held-out loss, where there is one, is no better either."""
        return not self.evals or self.evals_since_best >= self.parameters.eval_patience

    def _flat(self) -> bool:
        patience, delta = self.parameters.patience, self.parameters.min_delta
        if self.plateau_steps < self.patience_steps or not self._confirmed():
            return False
        recent = [point for point in self.points if point.step > self.points[-1].step - patience]
        if self._moves(recent):
            return False  # in a bump
        down = trend([(point.step, point.loss) for point in recent], patience)
        if down.falls and down.fall > delta:
            return False
        # The best EMA is a lucky one: what made it so belongs to the line.
        start = self.best.step - 2 * self.parameters.half_life
        whole = trend(self._since(start), patience)
        sure = whole.fall + SURE * whole.error < EXCLUDED_FALL * delta
        return sure or bool(self.evals)

    def _moves(self, points: list[Point]) -> bool:
        """Return whether the EMA moves by more than noise makes it move.

        Noise is taken from neighbours (von Neumann): a slow movement does not count as noise.
        """
        smooth = [point.smooth for point in points]
        level = max(abs(smooth[-1]), TINY)
        steps = [(after.loss - before.loss) ** 2 for before, after in pairwise(points)]
        noise = sqrt(sum(steps) / (2 * len(steps))) / level if steps else 0.0
        gap = (points[-1].step - points[0].step) / max(len(steps), 1)
        kept = 0.5 ** (gap / self.parameters.half_life)
        deviation = noise * sqrt((1 - kept) / (1 + kept))
        allowed = FLAT_RANGE * (self.parameters.min_delta + deviation)
        return (max(smooth) - min(smooth)) / level > allowed

    def _diverged(self) -> bool:
        now, patience = self.points[-1].smooth, self.parameters.patience
        best, start = self.best.smooth, self.points[0].loss
        far = now - start > LOST * max(abs(start), TINY)
        if not far and (
            now - best <= DIVERGED_RISE * max(abs(best), TINY) or self.plateau_steps < patience
        ):
            return False
        if self.evals and self.evals_since_best == 0 and not far:
            return False
        recent = trend(self._since(self.points[-1].step - patience), patience)
        back = relative_fall(now, min(best, start))
        return not recent.falls or recent.fall * RETURN < back

    def _overfit(self) -> bool:
        patience, delta = max(self.parameters.eval_patience, 1), self.parameters.min_delta
        step, best = self._eval_best
        rise = -relative_fall(best, self.evals[-1][1]) if self.evals else 0.0
        waited = self.evals_since_best / patience
        if not (
            (waited >= 2 and rise > delta)
            or (waited >= 1 and rise > OVERFIT_RISE * delta)
            or (waited >= 0.5 and self.evals_since_best >= 2 and rise > FAR_RISE)
        ):
            return False
        last = self.evals[-patience - 1 :]
        if trend(last, last[-1][0] - last[0][0]).fall > delta:
            return False  # on its way down again
        return trend(self._since(step), self.parameters.patience).falls


def better(value: float, than: float, share: float) -> bool:
    """Return whether `value` is below `than` by more than a share of it."""
    return than == float("inf") or than - value > share * max(abs(than), TINY)


def relative_fall(before: float, now: float) -> float:
    """Return the fall from `before` to `now` as a share of `before`; negative for a rise."""
    return (before - now) / max(abs(before), TINY)
