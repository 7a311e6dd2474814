"""The one door to NVIDIA's management library (NVML): what we call of it, and its numbers.

`load()` returns the real bindings; a machine without a driver gets them too, and is told so by
`nvmlInit`, which then raises `Code.LIBRARY_NOT_FOUND`. Numbers are those of `nvml.h`, which are
part of its ABI and never change their meaning.
"""

from collections.abc import Sequence
from enum import IntEnum, IntFlag
from typing import Any, Protocol, cast

# The version of the struct that tells `reserved` apart from `used`: size 40, version 2.
MEMORY_V2 = 0x02000028
TEMPERATURE_GPU = 0
CLOCK_SM = 1
ECC_UNCORRECTED = 1
ECC_VOLATILE = 0
EVENT_XID = 0x8
GPM_VERSION = 1
# As the scope of a field of NVLink: all links together.
ALL_LINKS = 0xFFFF_FFFF
Handle = Any


class Code(IntEnum):
    """Return codes that we tell apart (`nvmlReturn_t`)."""

    SUCCESS = 0
    UNINITIALIZED = 1
    NOT_SUPPORTED = 3
    NO_PERMISSION = 4
    DRIVER_NOT_LOADED = 9
    TIMEOUT = 10
    LIBRARY_NOT_FOUND = 12
    FUNCTION_NOT_FOUND = 13
    GPU_IS_LOST = 15
    RESET_REQUIRED = 16
    LIB_RM_VERSION_MISMATCH = 18
    ARGUMENT_VERSION_MISMATCH = 25
    GPU_NOT_FOUND = 28
    UNKNOWN = 999


# The card, the driver or this version of the bindings has it not: no error, a series less.
UNSUPPORTED = {Code.NOT_SUPPORTED, Code.FUNCTION_NOT_FOUND, Code.ARGUMENT_VERSION_MISMATCH}
# This GPU answers nothing any more; the others do.
LOST = {Code.GPU_IS_LOST, Code.RESET_REQUIRED, Code.GPU_NOT_FOUND}
# Nothing answers until the library is started again.
DRIVER_GONE = {Code.UNINITIALIZED, Code.DRIVER_NOT_LOADED, Code.LIB_RM_VERSION_MISMATCH}


class ValueType(IntEnum):
    """How the value of a field is stored (`nvmlValueType_t`)."""

    DOUBLE = 0
    UNSIGNED_INT = 1
    UNSIGNED_LONG = 2
    UNSIGNED_LONG_LONG = 3
    SIGNED_LONG_LONG = 4
    SIGNED_INT = 5
    UNSIGNED_SHORT = 6


class ClockEvent(IntFlag):
    """Why clocks are lower than they could be (`nvmlClocksEventReason*`)."""

    GPU_IDLE = 0x1
    APPLICATIONS_CLOCKS = 0x2
    SW_POWER_CAP = 0x4
    HW_SLOWDOWN = 0x8
    SYNC_BOOST = 0x10
    SW_THERMAL = 0x20
    HW_THERMAL = 0x40
    HW_POWER_BRAKE = 0x80


class Nvml(Protocol):
    """What we call; every function raises `NVMLError` with a `value` out of `nvmlReturn_t`."""

    NVMLError: type[Exception]
    c_nvmlGpmMetricsGet_t: Any  # a ctypes struct: which metrics, between which two samples

    def nvmlInit(self) -> None:
        """Start the library, or count one more user of it."""

    def nvmlShutdown(self) -> None:
        """Give it up; handles and event sets die with it."""

    def nvmlSystemGetDriverVersion(self) -> str:
        """Return the driver's version."""

    def nvmlSystemGetCudaDriverVersion(self) -> int:
        """Return the driver's CUDA version: 13020 is 13.2."""

    def nvmlDeviceGetCount(self) -> int:
        """Return how many GPUs there are, lost ones included."""

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Handle:
        """Return a handle, good until the library is shut down."""

    def nvmlDeviceGetUUID(self, handle: Handle) -> str:
        """Return `GPU-...`; a lost GPU no longer tells it."""

    def nvmlDeviceGetName(self, handle: Handle) -> str:
        """Return the product's name."""

    def nvmlDeviceGetPciInfo(self, handle: Handle) -> Any:
        """Return a struct whose `busId` is `00000000:3B:00.0`."""

    def nvmlDeviceGetFieldValues(self, handle: Handle, fields: Sequence[Any]) -> Any:
        """Return a value with a return code of its own for each field."""

    def nvmlDeviceGetComputeRunningProcesses(self, handle: Handle) -> Sequence[Any]:
        """Return `pid` (of the host) and `usedGpuMemory` (bytes or None) of each process."""

    def nvmlEventSetCreate(self) -> Any:
        """Return an empty set of events."""

    def nvmlEventSetFree(self, events: Any) -> None:
        """Give a set of events back."""

    def nvmlDeviceRegisterEvents(self, handle: Handle, types: int, events: Any) -> None:
        """Let a GPU's events come into the set."""

    def nvmlEventSetWait_v2(self, events: Any, milliseconds: int) -> Any:
        """Return `device` and `eventData` of the next event, or raise TIMEOUT."""

    def nvmlGpmQueryDeviceSupport(self, handle: Handle) -> Any:
        """Return a struct with `isSupportedDevice`."""

    def nvmlGpmSampleAlloc(self) -> Any:
        """Return room for one sample."""

    def nvmlGpmSampleFree(self, sample: Any) -> None:
        """Give the room back."""

    def nvmlGpmSampleGet(self, handle: Handle, sample: Any) -> Any:
        """Write the counters of now into `sample`."""

    def nvmlGpmMetricsGet(self, request: Any) -> Any:
        """Fill `request.metrics` from the counters of its two samples."""


def load() -> Nvml:
    """Return the real library's bindings; loading touches neither driver nor GPU."""
    import pynvml  # type: ignore[import-untyped]  # here, since nothing happens at import

    return cast(Nvml, pynvml)


def code_of(error: Exception) -> int:
    """Return the return code inside an `NVMLError`."""
    return int(getattr(error, "value", Code.UNKNOWN))
