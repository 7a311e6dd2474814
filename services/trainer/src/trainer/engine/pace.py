"""How long steps take, and how long a process waits for its rows. Pure.

A step lasts from the Trainer's `on_step_begin` to `on_step_end`. On a card the processor runs ahead
of it, by at most as many kernels as the driver queues: single steps scatter, their mean is right.
The wait for rows is what the Trainer spends in `get_batch_samples`, its only call of the data
loader between two steps: collation and the move to the card are in it, evaluations and saves are
not. Both distributions go on after a resume, and count steps that are repeated again.
"""

import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any

STEP_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 60.0, 120.0)
WAIT_BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0)
HALF_LIFE = 20  # steps after which a duration counts half


class Durations:
    """A distribution in cumulative buckets, as Prometheus has them.

    Args:
        bounds: upper bounds in seconds, rising; above the last there is one bucket more.
        earlier: what `document` returned in an earlier engine; ignored where its bounds differ.
    """

    def __init__(self, bounds: Sequence[float], earlier: Any = None) -> None:
        self.bounds = list(bounds)
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0
        if isinstance(earlier, dict) and earlier.get("bounds") == self.bounds:
            self.counts, self.sum = list(earlier["counts"]), float(earlier["sum"])

    def observe(self, seconds: float) -> None:
        """Count a duration, in every bucket that holds it."""
        for place in range(bisect_left(self.bounds, seconds), len(self.counts)):
            self.counts[place] += 1
        self.sum += seconds

    def document(self) -> dict[str, Any]:
        """Return `bounds` and `sum` in seconds, and `counts`, cumulative, the last one of all."""
        return {"bounds": self.bounds, "counts": list(self.counts), "sum": self.sum}


class Pace:
    """Durations of steps and waits of one process.

    Args:
        earlier: the document of an earlier engine of the run, which this one goes on from.
        clock: monotonic seconds.
    """

    def __init__(self, earlier: Any = None, clock: Callable[[], float] = time.perf_counter) -> None:
        known = earlier if isinstance(earlier, dict) else {}
        self.clock = clock
        self.steps = Durations(STEP_BUCKETS, known.get("step"))
        self.waits = Durations(WAIT_BUCKETS, known.get("data_wait"))
        self._sum = self._weight = 0.0
        self._began: float | None = None
        self._first: tuple[int, float] | None = None
        self._last: tuple[int, float] | None = None

    def begin(self) -> None:
        """A step begins."""
        self._began = self.clock()

    def end(self, step: int) -> None:
        """Step number `step` ended."""
        now = self.clock()
        if self._began is not None:
            self._take(now - self._began)
        self._began = None
        self._first, self._last = self._first or (step, now), (step, now)

    def _take(self, seconds: float) -> None:
        kept = 0.5 ** (1 / HALF_LIFE)
        self.steps.observe(seconds)
        self._sum = kept * self._sum + (1 - kept) * seconds
        self._weight = kept * self._weight + 1 - kept

    def waited(self, seconds: float) -> None:
        """The rows of a step were waited for."""
        self.waits.observe(seconds)

    def figures(self, max_steps: int) -> dict[str, float]:
        """Return the moving average of a step and the seconds that are left, where known.

        The average is bias-corrected. What is left is taken from the mean since this engine's first
        step ended, evaluations and saves included; a resumed run is not made faster by what an
        earlier engine did.
        """
        found: dict[str, float] = {}
        if self._weight:
            found["step_seconds_ewma"] = self._sum / self._weight
        if self._first and self._last and self._last[0] > self._first[0]:
            steps, seconds = (
                end - begin for begin, end in zip(self._first, self._last, strict=True)
            )
            found["eta_seconds"] = max(0, max_steps - self._last[0]) * seconds / steps
        return found

    def document(self) -> dict[str, Any]:
        """Return both distributions: `step` and `data_wait`."""
        return {"step": self.steps.document(), "data_wait": self.waits.document()}
