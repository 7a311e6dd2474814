"""One GPU to readings: the unsupported is absent, the lost raises, units are base units."""

from dataclasses import fields
from math import isfinite
from typing import Any

import pytest

from fakes.nvml import FakeNvml, Scenario, uuid_of
from trainer.gpu.counts import Counts
from trainer.gpu.readings import RETRY_CYCLES, Device, GpuLostError
from trainer.gpu.roles import Roles
from trainer.gpu.snapshot import Readings


def opened(scenario: str | Scenario, index: int = 0) -> Device:
    """Return a device of a fake whose library is up."""
    nvml = FakeNvml.of(scenario) if isinstance(scenario, str) else FakeNvml(scenario)
    nvml.nvmlInit()
    return Device(nvml, index, Counts(), Roles())


def told(readings: Readings) -> dict[str, Any]:
    """Return what is not None."""
    found = {each.name: getattr(readings, each.name) for each in fields(readings)}
    return {name: value for name, value in found.items() if value is not None}


def test_healthy_gpu_tells_everything_in_base_units() -> None:
    """mW, mJ, MHz, KiB and percent come out as watts, joules, hertz, bytes and ratios."""
    device = opened("healthy", 3)
    device.read()
    found = device.read()
    assert found.power_watts == 310
    assert found.power_limit_watts == 700
    assert found.sm_clock_hertz == 1.755e9
    assert found.utilization_ratio == 0.97
    assert found.memory_used_bytes == 4 << 30
    assert found.energy_joules is not None
    assert found.energy_joules >= 1000
    assert found.nvlink_bytes is not None
    assert found.nvlink_bytes["tx"] >= 1024e6
    assert found.throttle_active is not None
    assert found.throttle_active["sw_power_cap"]
    assert not found.throttle_active["hw_thermal"]
    assert found.tensor_active_ratio == 0.42
    assert device.identity is not None
    assert device.identity.uuid == uuid_of(3)
    assert device.identity.cuda == "13.0"
    assert device.identity.pci_bus_id == "00000000:13:00.0"


def test_unsupported_readings_are_absent_and_no_errors() -> None:
    """An older card lacks sensors: that is no error, and the rest is there."""
    device = opened("unsupported")
    device.read()
    found = device.read()
    for name in ("memory_temperature_celsius", "ecc_uncorrected_errors", "throttle_active"):
        assert getattr(found, name) is None
    assert found.nvlink_bytes is None
    assert found.sm_active_ratio is None
    assert found.power_watts == 305, "without the instant power, the other call is asked"
    assert found.temperature_celsius == 61
    assert device.errors.all() == {}


def test_unsupported_call_is_tried_again_after_a_while() -> None:
    """MIG can be switched while we run."""
    device = opened("mig")
    assert device.read().utilization_ratio is None
    assert isinstance(device.nvml, FakeNvml)
    device.nvml.scenario.mig.clear()
    assert device.read().utilization_ratio is None
    assert any(device.read().utilization_ratio for _ in range(RETRY_CYCLES))


def test_divided_gpu_tells_what_it_has_as_a_whole() -> None:
    """In MIG mode utilisation is absent; memory, power and temperature are the card's."""
    device = opened("mig")
    found = device.read()
    assert found.utilization_ratio is None
    assert found.memory_utilization_ratio is None
    assert found.memory_total_bytes == 80 << 30
    assert found.power_watts == 310


def test_what_the_driver_answers_with_nan_is_absent() -> None:
    """GPM gives NaN for what it could not count."""
    device = opened("gpm")
    assert device.read().sm_active_ratio is None, "one sample is no mean"
    found = device.read()
    assert found.sm_active_ratio == 0.88
    assert found.dram_active_ratio is None
    assert all(isfinite(value) for value in told(found).values() if isinstance(value, float))


def test_lost_gpu_raises_and_is_counted() -> None:
    """The code is counted under the call that met it."""
    device = opened(Scenario(gpus=1, lost=[{"gpu": 0, "sample": 1}]))  # type: ignore[list-item]
    device.read()
    with pytest.raises(GpuLostError):
        device.read()
    assert device.errors.all() == {(uuid_of(0), "nvmlDeviceGetMemoryInfo", "15"): 1}


def test_unknown_error_of_one_call_costs_its_series_only() -> None:
    """UNKNOWN means lost where the memory is asked for; elsewhere it is one call's failure."""
    device = opened(Scenario(gpus=1, unknown=["nvmlDeviceGetTemperature"]))
    found = device.read()
    assert found.temperature_celsius is None
    assert found.memory_used_bytes
    assert device.errors.all() == {(uuid_of(0), "nvmlDeviceGetTemperature", "999"): 1}
    with pytest.raises(GpuLostError):
        opened("unknown").read()


def test_samples_of_gpm_are_given_back() -> None:
    """Each GPU has two, for as long as the library is up."""
    device = opened("healthy")
    for _ in range(3):
        device.read()
    assert isinstance(device.nvml, FakeNvml)
    assert device.nvml.gpm_samples == 2
    device.close()
    assert device.nvml.gpm_samples == 0
