"""XIDs: told once, of a GPU that may not answer any more."""

import time
from collections.abc import Callable

from fakes.nvml import FakeNvml, Scenario, uuid_of
from trainer.gpu import watching
from trainer.gpu.counts import Counts
from trainer.gpu.xid import XidWatcher


def until(found: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for something, and fail where it does not come."""
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


def test_xid_of_a_gpu_that_fell_off_the_bus_has_its_uuid() -> None:
    """The GPU answers nothing any more when the event comes."""
    began = time.time()
    with watching(FakeNvml.of("xid"), seconds=0.05) as watch:
        xids = watch.sampler.xids
        until(lambda: bool(xids.counts.all()))
        assert xids.counts.all() == {(uuid_of(3), "79"): 1}
        assert began <= xids.last[uuid_of(3), "79"] <= time.time()


def test_gpu_that_is_lost_or_has_no_events_blinds_nobody() -> None:
    """Each is registered in a try of its own."""
    scenario = Scenario.model_validate(
        {"gpus": 3, "lost": [{"gpu": 0, "sample": -1}], "xids": [{"gpu": 2, "xid": 48}]}
    )
    nvml = FakeNvml(scenario)
    with watching(nvml, seconds=0.05) as watch:
        until(lambda: bool(watch.sampler.xids.counts.all()))
        assert watch.sampler.xids.counts.all() == {(uuid_of(2), "48"): 1}


def test_host_without_events_has_no_thread_for_them() -> None:
    """Where no GPU supports them there is nothing to wait for."""
    nvml = FakeNvml(Scenario(gpus=2, unsupported=["nvmlDeviceRegisterEvents"]))
    nvml.nvmlInit()
    errors = Counts()
    watcher = XidWatcher(nvml, errors)
    watcher.start()
    assert watcher.stop(patience=30)
    assert errors.all() == {}
    assert nvml.sets == []


def test_events_are_told_again_after_a_new_start_of_the_driver() -> None:
    """Sets of events die with the library; the second start registers anew."""
    scenario = Scenario.model_validate(
        {"gpus": 2, "driver": {"sample": 2}, "xids": [{"gpu": 1, "xid": 94, "sample": 6}]}
    )
    with watching(FakeNvml(scenario), seconds=0.05) as watch:
        until(lambda: bool(watch.sampler.xids.counts.all()))
        assert watch.sampler.xids.counts.all() == {(uuid_of(1), "94"): 1}
