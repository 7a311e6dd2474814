"""The sampler: one GPU's fault is one GPU's, the driver may come back, nothing holds up the end."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from fakes.nvml import FakeNvml, uuid_of
from trainer.gpu import watching
from trainer.gpu.sampler import GpuSampler


@contextmanager
def sampling(scenario: str, patience: float = 2.0) -> Iterator[GpuSampler]:
    """A sampler whose cycles the test takes itself."""
    sampler = GpuSampler(FakeNvml.of(scenario), seconds=0.05, patience=patience)
    try:
        yield sampler
    finally:
        assert isinstance(sampler.nvml, FakeNvml)
        sampler.nvml.released.set()
        sampler.stop()


def until(found: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for something, and fail where it does not come."""
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


def test_healthy_host_is_sampled() -> None:
    """Every GPU is in the snapshot, and remembered."""
    with sampling("healthy") as sampler:
        sampler.cycle()
        assert list(sampler.snapshot.gpus) == [uuid_of(index) for index in range(8)]
        assert sampler.snapshot.available
        assert sampler.snapshot.at > 0
        assert len(sampler.seen) == 8


def test_lost_gpu_is_missing_and_the_others_stay() -> None:
    """It stays remembered, so that its absence can be told."""
    with sampling("lost") as sampler:
        for _ in range(5):
            sampler.cycle()
        assert uuid_of(2) not in sampler.snapshot.gpus
        assert len(sampler.snapshot.gpus) == 7
        assert uuid_of(2) in sampler.seen
        assert sampler.errors.all() == {(uuid_of(2), "nvmlDeviceGetMemoryInfo", "15"): 3}


def test_hanging_gpu_costs_one_wait_and_no_other_gpu() -> None:
    """It is waited for once; then nobody waits, and it is back once it answers."""
    # So much longer than the answers of seven GPUs that a loaded machine is not taken for a hang.
    with sampling("hang", patience=2.0) as sampler:
        for _ in range(3):
            sampler.cycle()
        assert len(sampler.snapshot.gpus) == 7
        assert sampler.snapshot.seconds >= 2.0
        sampler.cycle()
        assert sampler.snapshot.seconds < 2.0
        assert sampler.snapshot.available
        assert sampler.errors.all()[uuid_of(1), "sample", "hung"] == 2
        assert isinstance(sampler.nvml, FakeNvml)
        sampler.nvml.released.set()
        until(lambda: sampler.cycle() or uuid_of(1) in sampler.snapshot.gpus)


def test_driver_that_is_reloaded_is_found_again() -> None:
    """Handles are dead; after failing starts the library is up again, with every GPU."""
    with watching(FakeNvml.of("driver_reload"), seconds=0.05) as watch:
        sampler = watch.sampler
        until(lambda: bool(sampler.seen) and not watch.snapshot.available)
        assert not watch.snapshot.gpus
        until(lambda: len(watch.snapshot.gpus) == 4)
        assert watch.snapshot.available
        assert sampler.errors.all()["", "nvmlInit", "9"] == 2


def test_gpus_that_are_all_lost_are_looked_for_by_a_new_start() -> None:
    """As after a reset of the GPUs under us."""
    with sampling("all_lost") as sampler:
        for _ in range(3):
            sampler.cycle()
        assert not sampler.snapshot.gpus
        sampler.cycle()
        assert len(sampler.snapshot.gpus) == 2
        assert isinstance(sampler.nvml, FakeNvml)
        assert sampler.nvml.starts == 2


def test_container_that_lost_its_devices_tells_so_for_ever() -> None:
    """Every new start finds a GPU that answers UNKNOWN: it is down, and we go on trying."""
    with sampling("unknown") as sampler:
        for _ in range(3):
            sampler.cycle()
        assert not sampler.snapshot.gpus
        assert list(sampler.seen) == [uuid_of(0)]


def test_machine_without_driver_is_no_error() -> None:
    """Nothing is available, nothing is counted, and no moment of a sample is told."""
    with sampling("no_driver") as sampler:
        sampler.cycle()
        sampler.cycle()
        assert not sampler.snapshot.available
        assert sampler.snapshot.at == 0
        assert sampler.errors.all() == {}


def test_waits_between_starts_grow() -> None:
    """A driver that is gone is not asked every second for days."""
    with sampling("no_driver") as sampler:
        waits = []
        for _ in range(12):
            sampler.cycle()
            waits.append(sampler.backoff)
        assert waits == sorted(waits)
        assert waits[0] < 1
        assert waits[-1] == 60


def test_end_waits_for_no_hanging_driver(caplog: pytest.LogCaptureFixture) -> None:
    """Threads that hang are left behind; what they were given is not taken away under them."""
    caplog.set_level(logging.ERROR)
    nvml = FakeNvml.of("hang")
    with watching(nvml, seconds=0.05) as watch:
        until(lambda: 0 < len(watch.snapshot.gpus) < 8)
        began = time.monotonic()
    assert time.monotonic() - began < 30  # it hangs for a minute
    assert nvml.users == 1, "the library stays up under the thread that is inside it"
    assert "a GPU no longer answers" in caplog.messages
    nvml.released.set()


def test_library_is_given_back_at_the_end() -> None:
    """No handle, no set of events and no sample stays."""
    nvml = FakeNvml.of("healthy")
    with watching(nvml, seconds=0.05) as watch:
        until(lambda: len(watch.snapshot.gpus) == 8)
    assert (nvml.users, nvml.sets, nvml.gpm_samples) == (0, [], 0)


def test_nothing_is_asked_where_sampling_is_off() -> None:
    """0 seconds: no thread, no start of the library, an empty report."""
    nvml = FakeNvml.of("healthy")
    with watching(nvml, seconds=0) as watch:
        assert nvml.starts == 0
        assert not watch.report().available
