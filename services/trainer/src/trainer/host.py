"""The GPUs of this host, for whoever wants to know while they are watched."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry

from contracts.gpu import GpuReport
from trainer.gpu import GpuWatch, watching
from trainer.gpu.nvml import Nvml


class HostGpus:
    """What is known of the GPUs; nothing while nobody watches them."""

    def __init__(self) -> None:
        self.watch: GpuWatch | None = None

    def report(self) -> GpuReport:
        """Return every GPU that was ever seen, as it was at the last sample."""
        return self.watch.report() if self.watch else GpuReport(available=False)

    def energy_joules(self, uuid: str) -> float | None:
        """Return the energy counter of a GPU at the last sample; None where it is not known."""
        readings = self.watch.snapshot.gpus.get(uuid) if self.watch else None
        return readings.energy_joules if readings else None

    @contextmanager
    def watched(self, nvml: Nvml, seconds: float, registry: CollectorRegistry) -> Iterator[None]:
        """Watch the GPUs, and show them as series of `registry`, until the block is left.

        Args:
            nvml: NVIDIA's management library.
            seconds: between two samples.
            registry: of the service.
        """
        with watching(nvml, seconds) as watch:
            registry.register(watch.collector)
            self.watch = watch
            try:
                yield
            finally:
                self.watch = None
                registry.unregister(watch.collector)
