"""A card whose memory is a curve: what a step takes, with fragments, rounding and noise."""

import random
from dataclasses import dataclass, field

from trainer.engine.planner import Probe

SEGMENT = 2 << 20  # the caching allocator takes memory from the driver in pieces of 2 MiB


@dataclass
class FakeCard:
    """A card that runs out of memory where its curve passes its size.

    Args:
        bytes: all its memory.
        static: bytes that do not depend on the batch.
        per_token: bytes of each token.
        per_pair: bytes of each pair of tokens of a sequence (attention's mask).
        fragments: largest share that the allocator loses, drawn for each micro-batch.
        knee: tokens of a micro-batch beyond which it gets no faster.
        seed: decides the noise; the same micro-batch always takes the same.
    """

    bytes: int
    static: int
    per_token: float
    per_pair: float = 0.0
    fragments: float = 0.03
    knee: int = 4096
    seed: int = 7
    probed: list[int] = field(default_factory=list)

    def peak(self, micro_batch: int, length: int) -> int:
        """Return what a step takes, whether the card has it or not."""
        lost = random.Random(f"{self.seed}-{micro_batch}").uniform(0, self.fragments)
        moving = micro_batch * length * (self.per_token + self.per_pair * length)
        whole = self.static + moving * (1 + lost)
        return int(-(-whole // SEGMENT) * SEGMENT)

    def speed(self, micro_batch: int, length: int) -> float:
        """Return tokens a second: a step has a fixed cost, and past the knee nothing is gained."""
        noise = random.Random(f"{self.seed}+{micro_batch}").uniform(0.995, 1.005)
        tokens = micro_batch * length
        return 50_000 * min(tokens, self.knee) / (min(tokens, self.knee) + 512) * noise

    def probe(self, micro_batch: int, length: int) -> Probe:
        """Run a step: its peak and its speed, or that the memory ran out."""
        self.probed.append(micro_batch)
        peak = self.peak(micro_batch, length)
        if peak > self.bytes:
            return Probe(micro_batch, self.bytes, 0.0, True)
        return Probe(micro_batch, peak, self.speed(micro_batch, length), False)
