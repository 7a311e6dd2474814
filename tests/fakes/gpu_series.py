"""A registry in which each `gpu_*` family has a sample: one GPU that tells everything."""

import time

from prometheus_client import CollectorRegistry

from fakes.nvml import FakeNvml, uuid_of
from trainer.gpu.collector import GpuCollector
from trainer.gpu.sampler import GpuSampler
from trainer.gpu.snapshot import Identity, ProcessMemory, Readings, Snapshot

UUID = uuid_of(0)
FULL = Readings(
    memory_total_bytes=80 << 30,
    memory_used_bytes=60 << 30,
    memory_free_bytes=19 << 30,
    memory_reserved_bytes=1 << 30,
    utilization_ratio=0.97,
    memory_utilization_ratio=0.41,
    sm_active_ratio=0.88,
    tensor_active_ratio=0.42,
    dram_active_ratio=0.63,
    power_watts=310.0,
    power_limit_watts=700.0,
    temperature_celsius=61.0,
    memory_temperature_celsius=55.0,
    sm_clock_hertz=1.755e9,
    sm_clock_max_hertz=1.98e9,
    ecc_uncorrected_errors=0.0,
    row_remap_failure=0.0,
    row_remap_pending=0.0,
    recovery_action=0.0,
    pcie_link_generation=5.0,
    pcie_link_width=16.0,
    pcie_replays=3.0,
    energy_joules=1500.0,
    throttle_active={"sw_power_cap": True},
    throttle_seconds={"sw_power_cap": 1.5},
    pcie_bytes={"tx": 1.0, "rx": 2.0},
    nvlink_bytes={"tx": 3.0, "rx": 4.0},
    processes=1,
    memory_by_role={"trainer": 60 << 30, "serving": 0, "other": 0},
    process_memory=(ProcessMemory(4001, "python", 60 << 30),),
)


def full_collector() -> GpuCollector:
    """Return the collector of a sampler without a thread, whose sample is of now."""
    sampler = GpuSampler(FakeNvml(), seconds=2)
    identity = Identity(UUID, 0, "NVIDIA H100 80GB HBM3", "00000000:10:00.0", "580.95.05", "13.0")
    sampler.seen = {UUID: identity}
    sampler.snapshot = Snapshot(at=time.time(), gpus={UUID: FULL}, available=True, seconds=0.002)
    sampler.errors.add(UUID, "nvmlDeviceGetPowerUsage", "4")
    sampler.xids.note(UUID, 79)
    return GpuCollector(sampler)


def gpu_registry() -> CollectorRegistry:
    """Return a registry with that collector."""
    registry = CollectorRegistry()
    registry.register(full_collector())
    return registry
