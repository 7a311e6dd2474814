"""One GPU, from its index to its readings: each call in a try of its own.

What the GPU does not support is left out and not asked for again for a while; other errors are
counted by GPU, call and code. A GPU that is lost or a driver that is gone raises.
"""

from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import Any

from trainer.gpu.counts import Counts
from trainer.gpu.fields import WANTED, field_readings
from trainer.gpu.gpm import Activity
from trainer.gpu.nvml import (
    CLOCK_SM,
    DRIVER_GONE,
    ECC_UNCORRECTED,
    ECC_VOLATILE,
    LOST,
    MEMORY_V2,
    TEMPERATURE_GPU,
    UNSUPPORTED,
    ClockEvent,
    Code,
    Handle,
    Nvml,
    code_of,
)
from trainer.gpu.roles import Roles
from trainer.gpu.snapshot import Identity, Readings

# MIG can be switched while we run, so what was not supported is tried again after so many cycles.
RETRY_CYCLES = 300
Found = dict[str, Any]


class DriverGoneError(Exception):
    """The driver was unloaded or updated: every handle is dead."""


class GpuLostError(Exception):
    """This GPU answers nothing."""


@dataclass(frozen=True)
class Call:
    """One function of the library, and how its answer becomes readings."""

    name: str
    convert: Callable[[Any], Found]
    arguments: tuple[Any, ...] = ()
    unless: str = ""  # a reading that makes the call needless


def memory(answer: Any) -> Found:
    """Return the four sizes, in bytes; version 2, since version 1 counts `reserved` as used."""
    return {f"memory_{kind}_bytes": getattr(answer, kind) for kind in MEMORY_KINDS}


def utilization(answer: Any) -> Found:
    """Return the shares of time in which any kernel ran, and in which memory was moved."""
    return {
        "utilization_ratio": answer.gpu / 100,
        "memory_utilization_ratio": answer.memory / 100,
    }


def throttling(answer: int) -> Found:
    """Return for each reason whether it holds the clocks down now."""
    return {"throttle_active": {name: bool(answer & bit) for bit, name in REASONS}}


def scaled(name: str, factor: float = 1) -> Callable[[Any], Found]:
    """Return a conversion of a single number: to base units, by `factor`."""
    return lambda answer: {name: answer * factor}


MEMORY_KINDS = ("total", "used", "free", "reserved")
REASONS = tuple((int(bit), str(bit.name).lower()) for bit in ClockEvent)
MEMORY = Call("nvmlDeviceGetMemoryInfo", memory, (MEMORY_V2,))
FIELDS = Call("nvmlDeviceGetFieldValues", field_readings, (WANTED,))
CALLS = (
    FIELDS,
    Call("nvmlDeviceGetUtilizationRates", utilization),
    Call("nvmlDeviceGetPowerUsage", scaled("power_watts", 1e-3), unless="power_watts"),
    Call("nvmlDeviceGetEnforcedPowerLimit", scaled("power_limit_watts", 1e-3)),
    Call("nvmlDeviceGetTemperature", scaled("temperature_celsius"), (TEMPERATURE_GPU,)),
    Call("nvmlDeviceGetClockInfo", scaled("sm_clock_hertz", 1e6), (CLOCK_SM,)),
    Call("nvmlDeviceGetMaxClockInfo", scaled("sm_clock_max_hertz", 1e6), (CLOCK_SM,)),
    Call("nvmlDeviceGetCurrentClocksEventReasons", throttling),
    Call(
        "nvmlDeviceGetTotalEccErrors",
        scaled("ecc_uncorrected_errors"),
        (ECC_UNCORRECTED, ECC_VOLATILE),
    ),
    Call("nvmlDeviceGetCurrPcieLinkGeneration", scaled("pcie_link_generation")),
    Call("nvmlDeviceGetCurrPcieLinkWidth", scaled("pcie_link_width")),
)


class Device:
    """One GPU by its index; opened at the first reading, and from then on known by its uuid."""

    def __init__(self, nvml: Nvml, index: int, errors: Counts, roles: Roles) -> None:
        self.nvml = nvml
        self.index = index
        self.errors = errors
        self.roles = roles
        self.identity: Identity | None = None
        self._handle: Handle = None
        self._activity: Activity | None = None
        self._unsupported: set[str] = set()
        self._cycle = 0

    @property
    def label(self) -> str:
        """The uuid, or `index-N` of a GPU that never told it."""
        return self.identity.uuid if self.identity else f"index-{self.index}"

    def read(self) -> Readings:
        """Return the readings of now.

        Raises GpuLostError where this GPU, and DriverGoneError where nothing answers.
        """
        if self.identity is None:
            self.identity = self._opened()
        if self._cycle % RETRY_CYCLES == 0:
            self._unsupported.clear()
        self._cycle += 1
        # First the one that every GPU has: where that fails with UNKNOWN, the GPU is lost.
        found = self._call(MEMORY, fatal={Code.UNKNOWN})
        for call in CALLS:
            if call.unless not in found:
                found |= self._call(call)
        if self._activity:
            found |= self._ask("nvmlGpmMetricsGet", self._activity.read)
        found |= self._call(Call("nvmlDeviceGetComputeRunningProcesses", self.roles.readings))
        return Readings(**found)

    def close(self) -> None:
        """Give back what was allocated; the library must still be up."""
        if self._activity:
            self._ask("nvmlGpmSampleFree", self._activity.close)

    def _opened(self) -> Identity:
        """Return what the GPU is. A GPU that does not even tell that counts as lost."""
        try:
            return self._open()
        except self.nvml.NVMLError as error:
            self._failed("nvmlDeviceGetHandleByIndex", code_of(error), fatal=set())
            raise GpuLostError(self.label) from error

    def _open(self) -> Identity:
        nvml = self.nvml
        self._handle = handle = nvml.nvmlDeviceGetHandleByIndex(self.index)
        self._activity = Activity(nvml, handle)
        cuda = nvml.nvmlSystemGetCudaDriverVersion()
        bus = nvml.nvmlDeviceGetPciInfo(handle).busId
        return Identity(
            uuid=nvml.nvmlDeviceGetUUID(handle),
            index=self.index,
            name=nvml.nvmlDeviceGetName(handle),
            pci_bus_id=bus.decode() if isinstance(bus, bytes) else bus,
            driver=nvml.nvmlSystemGetDriverVersion(),
            cuda=f"{cuda // 1000}.{cuda % 1000 // 10}",
        )

    def _call(self, call: Call, fatal: Set[int] = frozenset()) -> Found:
        function = getattr(self.nvml, call.name)
        return self._ask(
            call.name, lambda: call.convert(function(self._handle, *call.arguments)), fatal
        )

    def _ask(
        self, name: str, question: Callable[[], Found], fatal: Set[int] = frozenset()
    ) -> Found:
        """Return the answer's readings, or none where the GPU has no answer."""
        if name in self._unsupported:
            return {}
        try:
            return question()
        except self.nvml.NVMLError as error:
            self._failed(name, code_of(error), fatal)
            return {}

    def _failed(self, name: str, code: int, fatal: Set[int]) -> None:
        """Note an error; raises where it means more than a missing series."""
        if code in UNSUPPORTED:
            self._unsupported.add(name)
            return
        self.errors.add(self.label, name, str(code))
        if code in DRIVER_GONE:
            raise DriverGoneError(name)
        if code in LOST or code in fatal:
            raise GpuLostError(self.label)
