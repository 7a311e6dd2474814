"""Watch the GPUs of this host for as long as a service runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from contracts.gpu import GpuReading, GpuReport
from trainer.gpu.collector import GpuCollector
from trainer.gpu.nvml import Nvml
from trainer.gpu.sampler import GpuSampler
from trainer.gpu.snapshot import Identity, Readings, Snapshot

REPORTED = set(GpuReading.model_fields) - {"uuid", "index", "name", "up"}


class GpuWatch:
    """What a service needs of the GPUs: series, a snapshot, a report."""

    def __init__(self, sampler: GpuSampler) -> None:
        self.sampler = sampler
        self.collector = GpuCollector(sampler, sampler.clock)

    @property
    def snapshot(self) -> Snapshot:
        """The last complete sample."""
        return self.sampler.snapshot

    def report(self) -> GpuReport:
        """Return every GPU ever seen, by index, with the readings of those that answer."""
        snapshot = self.snapshot
        gpus = self.collector.fresh(snapshot)
        known = sorted(self.sampler.seen.values(), key=lambda each: (each.index, each.uuid))
        return GpuReport(
            available=snapshot.available and self.collector.is_fresh(snapshot),
            sampled_at=datetime.fromtimestamp(snapshot.at, UTC) if snapshot.at else None,
            gpus=[reading(each, gpus.get(each.uuid)) for each in known],
        )


def reading(identity: Identity, readings: Readings | None) -> GpuReading:
    """Return one GPU of the report; without readings it no longer answers."""
    return GpuReading(
        uuid=identity.uuid,
        index=identity.index,
        name=identity.name,
        up=readings is not None,
        **{name: getattr(readings, name) for name in REPORTED if readings is not None},
    )


@contextmanager
def watching(nvml: Nvml, seconds: float, *, top_processes: int = 0) -> Iterator[GpuWatch]:
    """Sample the GPUs every `seconds` until the end of the block; 0 samples nothing.

    Args:
        nvml: the library, `trainer.gpu.nvml.load()` or a fake.
        seconds: between two samples.
        top_processes: of how many processes of each GPU the memory is told by pid.
    """
    sampler = GpuSampler(nvml, seconds, top_processes=top_processes)
    if seconds > 0:
        sampler.start()
    try:
        yield GpuWatch(sampler)
    finally:
        sampler.stop()
