"""On a real driver: what the fakes are held to. The same contract, and the real timings."""

import math
import time
from collections.abc import Iterator
from dataclasses import fields

import pytest

from trainer.gpu import GpuWatch, watching
from trainer.gpu.nvml import load

pytestmark = pytest.mark.gpu
SAMPLE_SECONDS = 0.5  # for one GPU; measured calls take milliseconds


@pytest.fixture(scope="module")
def watch() -> Iterator[GpuWatch]:
    """The GPUs of this machine, sampled for a few seconds."""
    with watching(load(), seconds=0.5) as found:
        end = time.monotonic() + 20
        while not found.snapshot.gpus:
            assert time.monotonic() < end, found.sampler.errors.all()
            time.sleep(0.1)
        time.sleep(3)
        yield found


def test_every_gpu_tells_what_each_card_has(watch: GpuWatch) -> None:
    """Memory, power, temperature and clock, in the units that their names say."""
    for readings in watch.snapshot.gpus.values():
        assert readings.memory_total_bytes is not None
        assert readings.memory_total_bytes > 1 << 30
        assert readings.memory_used_bytes is not None
        assert 0 <= readings.memory_used_bytes <= readings.memory_total_bytes
        assert readings.power_watts is not None
        assert 1 < readings.power_watts < 2000
        assert readings.temperature_celsius is not None
        assert 5 < readings.temperature_celsius < 120
        assert readings.sm_clock_hertz is not None
        assert 1e8 < readings.sm_clock_hertz < 5e9


def test_no_reading_is_nan_and_no_ratio_leaves_its_range(watch: GpuWatch) -> None:
    """Absent is None."""
    for readings in watch.snapshot.gpus.values():
        for each in fields(readings):
            value = getattr(readings, each.name)
            if isinstance(value, float):
                assert math.isfinite(value), each.name
                if each.name.endswith("_ratio"):
                    assert 0 <= value <= 1, each.name


def test_energy_counter_grows_as_the_power_says(watch: GpuWatch) -> None:
    """Joules over seconds are watts: both come from the driver, by different ways."""
    first = watch.snapshot
    time.sleep(5)
    last = watch.snapshot
    for uuid, readings in last.gpus.items():
        before = first.gpus[uuid].energy_joules
        if readings.energy_joules is None or before is None:
            continue
        watts = (readings.energy_joules - before) / (last.at - first.at)
        assert readings.power_watts is not None
        assert watts == pytest.approx(readings.power_watts, rel=0.5)


def test_sample_is_quick_and_nothing_fails(watch: GpuWatch) -> None:
    """A cycle of the real driver takes milliseconds a GPU, and counts no error."""
    assert watch.snapshot.seconds < SAMPLE_SECONDS * len(watch.snapshot.gpus)
    assert watch.sampler.errors.all() == {}


def test_report_names_the_cards(watch: GpuWatch) -> None:
    """What the page and the command line show."""
    report = watch.report()
    assert report.available
    assert all(gpu.up and gpu.name and gpu.uuid.startswith("GPU-") for gpu in report.gpus)
