"""Renders the sampler's last snapshot; it reads memory only, so no driver can hold up a scrape."""

import time
from collections.abc import Iterator, Mapping

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from trainer.gpu.families import FAMILIES, Labels, Series
from trainer.gpu.sampler import GpuSampler
from trainer.gpu.snapshot import Readings, Snapshot
from trainer.gpu.xid import Clock

# Older than this, a snapshot says nothing about now: the sampler itself hangs in the driver.
STALE_INTERVALS = 5
STALE_SECONDS = 30.0
INFO_LABELS = ("uuid", "index", "name", "pci_bus_id", "driver", "cuda")
Found = list[tuple[Labels, float]]


class GpuCollector(Collector):
    """The families of `gpu_*`: what is not known is absent, never 0 and never NaN."""

    def __init__(self, sampler: GpuSampler, clock: Clock = time.time) -> None:
        self.sampler = sampler
        self.clock = clock

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: names are in `monitoring/metrics/gpu.yaml`, and a test holds them."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        """Yield the families, built fresh from one snapshot."""
        for series in self.series():
            yield series.metric()

    def exposition(self) -> bytes:
        """Return the same in Prometheus' text format."""
        return "".join(line for series in self.series() for line in series.lines()).encode()

    def series(self) -> Iterator[Series]:
        """Yield everything that is known now."""
        snapshot = self.sampler.snapshot  # one reference: a consistent view
        gpus = self.fresh(snapshot)
        yield from self._identities(gpus)
        for family in FAMILIES:
            yield family.series(gpus)
        yield from self._events()
        yield from self._sampling(snapshot)

    def fresh(self, snapshot: Snapshot) -> Mapping[str, Readings]:
        """Return the readings, or none where they are too old to be of now."""
        return snapshot.gpus if self.is_fresh(snapshot) else {}

    def is_fresh(self, snapshot: Snapshot) -> bool:
        """Return whether the snapshot is of now; without a driver none ever is."""
        limit = STALE_SECONDS + STALE_INTERVALS * self.sampler.seconds
        return self.clock() - snapshot.at <= limit

    def _identities(self, gpus: Mapping[str, Readings]) -> Iterator[Series]:
        seen = self.sampler.seen
        up: Found = [((uuid,), float(uuid in gpus)) for uuid in seen]
        yield Series("gpu_up", "1 while the GPU answers.", ("uuid",), False, up)
        info: Found = [
            ((uuid, str(gpu.index), gpu.name, gpu.pci_bus_id, gpu.driver, gpu.cuda), 1.0)
            for uuid, gpu in seen.items()
        ]
        yield Series("gpu_info", "What the GPU is.", INFO_LABELS, False, info)

    def _events(self) -> Iterator[Series]:
        sampler = self.sampler
        errors = list(sampler.errors.all().items())
        text = "Errors of NVML's calls."
        yield Series("gpu_nvml_errors", text, ("uuid", "call", "code"), True, [*errors])
        text = "Critical errors of the driver."
        counts = list(sampler.xids.counts.all().items())
        yield Series("gpu_xid_errors", text, ("uuid", "xid"), True, [*counts])
        text = "When the driver told this error last, in Unix time."
        last = list(sampler.xids.last.items())
        yield Series("gpu_xid_last_timestamp_seconds", text, ("uuid", "xid"), False, last)

    def _sampling(self, snapshot: Snapshot) -> Iterator[Series]:
        available = float(snapshot.available and self.is_fresh(snapshot))
        yield single("gpu_nvml_available", "1 while NVML answers.", available)
        if snapshot.at:  # without it, a machine without GPUs would look as if sampling had stopped
            text = "How long the last sample of all GPUs took."
            yield single("gpu_sample_duration_seconds", text, snapshot.seconds)
            text = "When the last sample was complete, in Unix time."
            yield single("gpu_last_sample_timestamp_seconds", text, snapshot.at)


def single(name: str, text: str, value: float) -> Series:
    """Return a gauge without labels."""
    return Series(name, text, (), False, [((), value)])
