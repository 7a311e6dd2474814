"""What the sampler knows at one moment; frozen, so that any thread may read it at any time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class Identity:
    """What a GPU is; all of it is a label of `gpu_info`."""

    uuid: str
    index: int
    name: str
    pci_bus_id: str
    driver: str
    cuda: str


@dataclass(frozen=True)
class ProcessMemory:
    """What one process holds of a GPU's memory."""

    pid: int
    name: str
    used_bytes: int


@dataclass(frozen=True)
class Readings:
    """One GPU at one moment; None is what it does not support or did not tell this time."""

    memory_total_bytes: int | None = None
    memory_used_bytes: int | None = None
    memory_free_bytes: int | None = None
    memory_reserved_bytes: int | None = None
    utilization_ratio: float | None = None
    memory_utilization_ratio: float | None = None
    sm_active_ratio: float | None = None
    tensor_active_ratio: float | None = None
    dram_active_ratio: float | None = None
    power_watts: float | None = None
    power_limit_watts: float | None = None
    temperature_celsius: float | None = None
    memory_temperature_celsius: float | None = None
    sm_clock_hertz: float | None = None
    sm_clock_max_hertz: float | None = None
    ecc_uncorrected_errors: float | None = None
    row_remap_failure: float | None = None
    row_remap_pending: float | None = None
    recovery_action: float | None = None
    pcie_link_generation: float | None = None
    pcie_link_width: float | None = None
    pcie_replays: float | None = None
    energy_joules: float | None = None  # the driver's counter, since it was loaded
    throttle_active: Mapping[str, bool] | None = None  # by reason
    throttle_seconds: Mapping[str, float] | None = None  # by reason; the driver's counters
    pcie_bytes: Mapping[str, float] | None = None  # by direction; the driver's counters
    nvlink_bytes: Mapping[str, float] | None = None  # by direction, all links together
    processes: int | None = None
    memory_by_role: Mapping[str, int] | None = None  # bytes
    process_memory: tuple[ProcessMemory, ...] = ()  # the largest ones, where asked for


@dataclass(frozen=True)
class Snapshot:
    """Every GPU that answered in the last cycle, by uuid; a lost one is missing."""

    at: float = 0.0  # Unix time of the cycle's end; 0 while there was none
    gpus: Mapping[str, Readings] = field(default_factory=lambda: MappingProxyType({}))
    available: bool = False  # whether the library answers
    seconds: float = 0.0  # how long the cycle took
