"""How fast a process trains: rows and tokens without padding, in the time of the steps alone.

The Trainer's own count waits for the card at every micro-batch, and is wrong where packed rows
are told apart by numbers in the attention mask. Ours stays on the card until the Trainer logs.
"""

import time
from collections.abc import Callable
from typing import Any


class Throughput:
    """Counts between two logs.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.clock = clock
        self.tokens = 0.0  # of this process since it started
        self.seconds = 0.0
        self._samples = 0
        self._seen: Any = 0
        self._began = clock()
        self._ended: float | None = None

    def begin(self) -> None:
        """A step begins."""
        self._began = self.clock()

    def end(self) -> None:
        """A step ended; what follows (an evaluation, a save) is no training."""
        self._ended = self.clock()
        self.seconds += self._ended - self._began

    def settle(self) -> None:
        """The Trainer logs: what it waited since the step is the card's, which was behind."""
        if self._ended is not None:
            self.seconds += self.clock() - self._ended
            self._ended = None

    def batch(self, inputs: dict[str, Any], pad: int | None) -> None:
        """Count a micro-batch: packed rows count as one."""
        ids = inputs.get("input_ids")
        if ids is None:
            return
        self._samples += ids.shape[0]
        mask = inputs.get("attention_mask")
        real = mask if mask is not None and mask.dim() == 2 else ids - (-1 if pad is None else pad)
        self._seen = self._seen + (real != 0).sum()

    def drain(self) -> tuple[float, float, float]:
        """Return tokens, samples and seconds since the last call."""
        tokens, samples, seconds = float(self._seen), float(self._samples), self.seconds
        self.tokens += tokens
        self._seen, self._samples, self.seconds = 0, 0, 0.0
        return tokens, samples, seconds
