"""The `gpu_*` series, as a table: name, type, labels, help, and what of the readings they show."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from trainer.gpu.snapshot import Readings

Labels = tuple[str, ...]
Values = Iterator[tuple[Labels, float]]


@dataclass(frozen=True)
class Series:
    """One name with everything that is known of it now: what a renderer needs."""

    name: str  # without `_total`
    text: str
    labels: Labels
    counter: bool
    values: list[tuple[Labels, float]]

    def metric(self) -> Metric:
        """Return it as the client library has it."""
        kind = CounterMetricFamily if self.counter else GaugeMetricFamily
        made = kind(self.name, self.text, labels=self.labels)
        for labels, value in self.values:
            made.add_metric(labels, value)
        return made

    def lines(self) -> Iterator[str]:
        """Yield it in Prometheus' text format; a tenth of the work of the library's way."""
        name = f"{self.name}_total" if self.counter else self.name
        yield f"# HELP {name} {self.text}\n# TYPE {name} {'counter' if self.counter else 'gauge'}\n"
        for labels, value in self.values:
            yield f"{name}{label_text(self.labels, labels)} {float(value)!r}\n"


@lru_cache(maxsize=8192)
def label_text(names: Labels, values: Labels) -> str:
    """Return labels as they stand in the text format; the same ones come at each scrape."""
    if not names:
        return ""
    pairs = zip(names, values, strict=True)
    return "{" + ",".join(f'{name}="{escaped(value)}"' for name, value in pairs) + "}"


def escaped(value: str) -> str:
    """Return a label's value with what the text format reserves escaped."""
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


@dataclass(frozen=True)
class Family:
    """One name; `values` gives labels after `uuid` and the value for each series of a GPU."""

    name: str  # without `_total`, which a counter gets at the end
    text: str
    values: Callable[[Readings], Values]
    labels: Labels = ()
    counter: bool = False

    def series(self, gpus: Mapping[str, Readings]) -> Series:
        """Return the series of every GPU that has them."""
        found = [
            ((uuid, *labels), value)
            for uuid, readings in gpus.items()
            for labels, value in self.values(readings)
        ]
        return Series(self.name, self.text, ("uuid", *self.labels), self.counter, found)


def one(field: str) -> Callable[[Readings], Values]:
    """Return the value of a field; no series where it is None."""

    def values(readings: Readings) -> Values:
        value = getattr(readings, field)
        if value is not None:
            yield (), value

    return values


def each(field: str) -> Callable[[Readings], Values]:
    """Return the values of a field that maps a label to a number."""

    def values(readings: Readings) -> Values:
        for label, value in (getattr(readings, field) or {}).items():
            yield (label,), value

    return values


def processes(readings: Readings) -> Values:
    """Return the memory of the largest processes, by pid and name."""
    for process in readings.process_memory:
        yield (str(process.pid), process.name), process.used_bytes


FAMILIES = (
    Family("gpu_memory_total_bytes", "Memory of the card.", one("memory_total_bytes")),
    Family("gpu_memory_used_bytes", "Memory in use, without reserved.", one("memory_used_bytes")),
    Family("gpu_memory_free_bytes", "Memory that is free.", one("memory_free_bytes")),
    Family(
        "gpu_memory_reserved_bytes",
        "Memory that driver and firmware keep.",
        one("memory_reserved_bytes"),
    ),
    Family(
        "gpu_process_memory_bytes",
        "Memory of the largest processes, where asked for.",
        processes,
        labels=("pid", "process"),
    ),
    Family(
        "gpu_memory_by_role_bytes",
        "Memory of processes by whose they are; only where pids are the host's.",
        each("memory_by_role"),
        labels=("role",),
    ),
    Family("gpu_processes", "Processes that compute on the GPU.", one("processes")),
    Family(
        "gpu_utilization_ratio",
        "Share of time in which any kernel ran.",
        one("utilization_ratio"),
    ),
    Family(
        "gpu_memory_utilization_ratio",
        "Share of time in which memory was read or written.",
        one("memory_utilization_ratio"),
    ),
    Family("gpu_sm_active_ratio", "Share of SMs that were busy.", one("sm_active_ratio")),
    Family(
        "gpu_tensor_active_ratio",
        "Share of time in which tensor cores worked.",
        one("tensor_active_ratio"),
    ),
    Family(
        "gpu_dram_active_ratio",
        "Share of the memory's bandwidth that was used.",
        one("dram_active_ratio"),
    ),
    Family("gpu_power_watts", "Power drawn at the moment of the sample.", one("power_watts")),
    Family("gpu_power_limit_watts", "Power limit in force.", one("power_limit_watts")),
    Family("gpu_temperature_celsius", "Temperature of the chip.", one("temperature_celsius")),
    Family(
        "gpu_memory_temperature_celsius",
        "Temperature of the memory.",
        one("memory_temperature_celsius"),
    ),
    Family("gpu_sm_clock_hertz", "Clock of the SMs.", one("sm_clock_hertz")),
    Family("gpu_sm_clock_max_hertz", "Highest clock of the SMs.", one("sm_clock_max_hertz")),
    Family(
        "gpu_clock_throttle_active",
        "1 while the reason holds the clocks down.",
        each("throttle_active"),
        labels=("reason",),
    ),
    Family(
        "gpu_ecc_uncorrected_errors",
        "Uncorrected memory errors since the driver was loaded; it may fall back to 0.",
        one("ecc_uncorrected_errors"),
    ),
    Family(
        "gpu_row_remap_failure", "1 once a row could not be remapped.", one("row_remap_failure")
    ),
    Family(
        "gpu_row_remap_pending", "1 while a remapping waits for a reset.", one("row_remap_pending")
    ),
    Family(
        "gpu_recovery_action",
        "Action that the driver asks for: 0 none, 1 reset, 2 reboot, 3 drain, 4 drain and reset.",
        one("recovery_action"),
    ),
    Family("gpu_pcie_link_generation", "PCIe generation now.", one("pcie_link_generation")),
    Family("gpu_pcie_link_width", "PCIe lanes now.", one("pcie_link_width")),
    Family(
        "gpu_energy_joules",
        "Energy since the driver was loaded.",
        one("energy_joules"),
        counter=True,
    ),
    Family(
        "gpu_throttle_seconds",
        "Time in which the reason held the clocks down.",
        each("throttle_seconds"),
        labels=("reason",),
        counter=True,
    ),
    Family("gpu_pcie_replays", "Packets sent again over PCIe.", one("pcie_replays"), counter=True),
    Family(
        "gpu_pcie_bytes",
        "Bytes over PCIe, sent (tx) and received (rx) by the GPU.",
        each("pcie_bytes"),
        labels=("direction",),
        counter=True,
    ),
    Family(
        "gpu_nvlink_bytes",
        "Bytes over all NVLinks, sent (tx) and received (rx) by the GPU.",
        each("nvlink_bytes"),
        labels=("direction",),
        counter=True,
    ),
)
