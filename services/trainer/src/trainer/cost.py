"""What a run takes of its GPUs: seconds, energy, money. Counted while the service follows it.

Energy is the difference of the GPU's own counter, never a sum of sampled power: power is sampled
during a quarter of the time only on A100 and H100 (arXiv 2312.02741). All that the GPU uses is
counted, whoever else works on it.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.run import RunRecord

Energy = Callable[[str], float | None]
HOUR = 3600.0


def no_energy(_: str) -> float | None:
    """Return nothing: no GPU's counter is known."""
    return None


@dataclass(frozen=True)
class Spent:
    """What an interval took; `energy_joules` is None where a GPU's counter cannot be read."""

    gpu_seconds: float
    energy_joules: float | None


class Meter:
    """Measures the intervals of one run.

    Args:
        energy: reads the energy counter of the GPU of a uuid, in joules.
        hour_dollars: price of a GPU hour, where it is known.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        energy: Energy = no_energy,
        hour_dollars: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.energy = energy
        self.hour_dollars = hour_dollars
        self.clock = clock
        self._at: float | None = None
        self._counters: dict[str, float] = {}

    def take(self, uuids: Collection[str]) -> Spent | None:
        """Return what the GPUs of `uuids` took since the last call; None where none are used.

        A counter that went back belongs to a driver that was loaded anew: the interval is lost. One
        that cannot be read for a while goes on from where it was.
        """
        used, now, before = sorted(set(uuids)), self.clock(), self._at
        self._at = now if used else None
        joules, counters = 0.0, {}
        for uuid in used:
            earlier, reading = self._counters.get(uuid), self.energy(uuid)
            if reading is not None and earlier is not None:
                joules += max(0.0, reading - earlier)
            if (counter := earlier if reading is None else reading) is not None:
                counters[uuid] = counter
        self._counters = counters
        if not used:
            return None
        seconds = 0.0 if before is None else (now - before) * len(used)
        return Spent(seconds, joules if len(counters) == len(used) else None)

    def changes(self, record: RunRecord, uuids: Collection[str]) -> dict[str, float]:
        """Return what the interval since the last call changes in a run's record."""
        spent = self.take(uuids)
        if spent is None:
            return {}
        found = {"gpu_seconds": (record.gpu_seconds or 0.0) + spent.gpu_seconds}
        if spent.energy_joules is not None:
            found["energy_joules"] = (record.energy_joules or 0.0) + spent.energy_joules
        if self.hour_dollars is not None:
            dollars = spent.gpu_seconds / HOUR * self.hour_dollars
            found["cost_dollars"] = (record.cost_dollars or 0.0) + dollars
        return found


def gpus_of(ranks: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the uuids of the GPUs that a run's ranks say they work on, each once."""
    named = {rank.get("gpu_uuid") for rank in ranks}
    return sorted(uuid for uuid in named if isinstance(uuid, str) and uuid)
