"""How long a job may still take, from the steps that it made before our eyes."""

import time
from collections.abc import Callable

from contracts.job import Progress

# Before so many steps the first, slow one decides the average.
STEPS_BEFORE_A_GUESS = 5


class Pace:
    """Watches one job.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began: tuple[str, int, int, float] | None = None

    def seconds_left(self, progress: Progress) -> float | None:
        """Return how long the rest of this stage takes at the pace so far; None: nobody knows.

        A job that starts its stage again, or goes back to a checkpoint, is timed anew.
        """
        now = self._clock()
        began = self._began
        same = began and began[0] == progress.stage and began[1] == progress.total
        if not began or not same or progress.done < began[2]:
            self._began = (progress.stage, progress.total, progress.done, now)
            return None
        steps = progress.done - began[2]
        if steps < STEPS_BEFORE_A_GUESS or progress.done >= progress.total:
            return None
        return (now - began[3]) / steps * (progress.total - progress.done)


def span(seconds: float) -> str:
    """Return a span of time for people, such as `50 s`, `4 min`, `2 h 10 min`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"
