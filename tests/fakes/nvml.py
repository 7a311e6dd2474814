"""A fake of NVIDIA's management library, as pynvml shows it; a YAML scenario says what breaks.

    nvml = FakeNvml.of("lost")        # tests/fakes/nvml_scenarios/lost.yaml
    with watching(nvml, seconds=0.1) as watch: ...

It has behaviour, no script of calls: handles die with the library, a lost GPU tells nothing at
all, an event is told once, a hang blocks the calling thread. What a GPU counts grows with time.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from ctypes import c_void_p
from struct import pack
from types import SimpleNamespace
from typing import Any, Self

from fakes.nvml_scenario import Scenario, load_scenario
from trainer.gpu.nvml import EVENT_XID, MEMORY_V2, Code, ValueType

GIB = 1 << 30
# In mW, degrees, MHz, the bit of the software power cap, a count, a generation, lanes.
NUMBERS = {
    "nvmlDeviceGetPowerUsage": 305_000,
    "nvmlDeviceGetEnforcedPowerLimit": 700_000,
    "nvmlDeviceGetTemperature": 61,
    "nvmlDeviceGetClockInfo": 1755,
    "nvmlDeviceGetMaxClockInfo": 1980,
    "nvmlDeviceGetCurrentClocksEventReasons": 0x4,
    "nvmlDeviceGetTotalEccErrors": 0,
    "nvmlDeviceGetCurrPcieLinkGeneration": 5,
    "nvmlDeviceGetCurrPcieLinkWidth": 16,
}
WIDE = {74, 76, 83, 138, 139, 197, 198, 269, 270, 271}


class FakeError(Exception):
    """As `pynvml.NVMLError`: the code is its `value`."""

    def __init__(self, value: int) -> None:
        super().__init__(f"NVML code {int(value)}")
        self.value = int(value)


class FakeNvml:
    """What `trainer.gpu.nvml.Nvml` asks for; safe from several threads, as the library is."""

    NVMLError: type[Exception] = FakeError

    def __init__(self, scenario: Scenario | None = None) -> None:
        self.scenario = scenario or Scenario()
        self.began = time.monotonic()
        self.users = 0  # of the library: starts less shutdowns
        self.starts = 0
        self.samples = [0] * self.scenario.gpus
        self.released = threading.Event()  # set it to end every hang at once
        self.sets: list[Any] = []
        self.gpm_samples = 0  # allocated and not freed
        self._lock = threading.Lock()
        self._driver_failures = 0
        self._pending_xids = list(self.scenario.xids)
        self._restarted = False

    @classmethod
    def of(cls, name: str) -> Self:
        """Return the fake of a scenario in `nvml_scenarios/`."""
        return cls(load_scenario(name))

    def c_nvmlGpmMetricsGet_t(self) -> Any:
        """Return a struct for `nvmlGpmMetricsGet`."""
        metrics = [SimpleNamespace(metricId=0, nvmlReturn=0, value=0.0) for _ in range(8)]
        return SimpleNamespace(version=0, numMetrics=0, sample1=None, sample2=None, metrics=metrics)

    def nvmlInit(self) -> None:
        """Start; fails while the driver is away."""
        if not self.scenario.library:
            raise FakeError(Code.LIBRARY_NOT_FOUND)
        with self._lock:
            if self._driver_failures > 0:
                self._driver_failures -= 1
                raise FakeError(Code.DRIVER_NOT_LOADED)
            self.users += 1
            self.starts += 1
            self._restarted = self.starts > 1

    def nvmlShutdown(self) -> None:
        """Stop: handles and event sets die."""
        self._up()
        self.users -= 1
        if not self.users:
            self.sets.clear()

    def nvmlSystemGetDriverVersion(self) -> str:
        """Return a version."""
        self._up()
        return "580.95.05"

    def nvmlSystemGetCudaDriverVersion(self) -> int:
        """Return CUDA 13.0."""
        self._up()
        return 13000

    def nvmlDeviceGetCount(self) -> int:
        """Count lost GPUs too."""
        self._up()
        return self.scenario.gpus

    def nvmlDeviceGetHandleByIndex(self, index: int) -> c_void_p:
        """Return a handle, whose number is the index and one."""
        handle = c_void_p(index + 1)
        self._gpu(handle)
        return handle

    def nvmlDeviceGetUUID(self, handle: c_void_p) -> str:
        """Return the uuid."""
        return uuid_of(self._gpu(handle))

    def nvmlDeviceGetName(self, handle: c_void_p) -> str:
        """Return the product."""
        self._gpu(handle)
        return self.scenario.name

    def nvmlDeviceGetPciInfo(self, handle: c_void_p) -> Any:
        """Return the place on the bus, as bytes like ctypes does."""
        return SimpleNamespace(busId=f"00000000:{16 + self._gpu(handle):02X}:00.0".encode())

    def nvmlDeviceGetMemoryInfo(self, handle: c_void_p, version: int | None = None) -> Any:
        """Return sizes; the call that counts as one sample."""
        gpu = number(handle)
        self._up()
        with self._lock:
            self.samples[gpu] += 1
        self._gpu(handle)
        self._supported("nvmlDeviceGetMemoryInfo")
        self._hang(gpu)
        assert version == MEMORY_V2
        share = self.scenario.memory
        used = (gpu + 1) * GIB if share is None else int(share * 80 * GIB)
        free = 79 * GIB - used
        return SimpleNamespace(total=80 * GIB, used=used, free=free, reserved=GIB)

    def nvmlDeviceGetFieldValues(self, handle: c_void_p, fields: Sequence[Any]) -> bytes:
        """Return `nvmlFieldValue_t` for each field, with its own code, as the array's bytes."""
        self._gpu(handle)
        self._supported("nvmlDeviceGetFieldValues")
        ids = [field[0] if isinstance(field, tuple) else field for field in fields]
        return b"".join(map(self._field, ids))

    def _field(self, field: int) -> bytes:
        known = field not in self.scenario.unsupported_fields
        code = Code.SUCCESS if known else Code.NOT_SUPPORTED
        kind = ValueType.UNSIGNED_LONG_LONG if field in WIDE else ValueType.UNSIGNED_INT
        plain = {82: 55, 94: 3, 144: 0, 145: 0, 186: 310_000, 230: 0}
        number = plain.get(field, int(1e6 * (1 + time.monotonic() - self.began)))
        return pack("=IIqqIiQ", field, 0, 0, 0, kind, code, number)

    def nvmlDeviceGetUtilizationRates(self, handle: c_void_p) -> Any:
        """Return percent; a GPU that is divided (MIG) tells none."""
        if self._gpu(handle) in self.scenario.mig:
            raise FakeError(Code.NOT_SUPPORTED)
        self._supported("nvmlDeviceGetUtilizationRates")
        return SimpleNamespace(gpu=97, memory=41)

    def __getattr__(self, name: str) -> Callable[..., int]:
        """Return a function that answers with one number."""
        if name not in NUMBERS:
            raise AttributeError(name)

        def function(handle: c_void_p, *_: int) -> int:
            self._gpu(handle)
            self._supported(name)
            return NUMBERS[name]

        return function

    def nvmlDeviceGetComputeRunningProcesses(self, handle: c_void_p) -> list[Any]:
        """Return pids of the host, and bytes or None."""
        self._gpu(handle)
        self._supported("nvmlDeviceGetComputeRunningProcesses")
        return [
            SimpleNamespace(pid=each.pid, usedGpuMemory=each.used_bytes)
            for each in self.scenario.processes
        ]

    def nvmlEventSetCreate(self) -> Any:
        """Return an empty set."""
        self._up()
        events = SimpleNamespace(gpus=set(), told=deque())
        self.sets.append(events)
        return events

    def nvmlEventSetFree(self, events: Any) -> None:
        """Forget a set; dead sets too."""
        if events in self.sets:
            self.sets.remove(events)

    def nvmlDeviceRegisterEvents(self, handle: c_void_p, types: int, events: Any) -> None:
        """Register a GPU."""
        assert types == EVENT_XID
        events.gpus.add(self._gpu(handle))
        self._supported("nvmlDeviceRegisterEvents")

    def nvmlEventSetWait_v2(self, events: Any, milliseconds: int) -> Any:
        """Return the next event; each is told once, also of a GPU that is lost by now."""
        end = time.monotonic() + milliseconds / 1000
        while True:
            self._up()
            if events not in self.sets:
                raise FakeError(Code.UNINITIALIZED)
            for xid in list(self._pending_xids):
                if xid.gpu in events.gpus and self.samples[xid.gpu] > xid.sample:
                    self._pending_xids.remove(xid)
                    device = c_void_p(xid.gpu + 1)
                    return SimpleNamespace(device=device, eventData=xid.xid)
            if time.monotonic() > end:
                raise FakeError(Code.TIMEOUT)
            time.sleep(0.01)

    def nvmlGpmQueryDeviceSupport(self, handle: c_void_p) -> Any:
        """Say whether this GPU has GPM."""
        self._gpu(handle)
        return SimpleNamespace(isSupportedDevice=int(self.scenario.gpm))

    def nvmlGpmSampleAlloc(self) -> Any:
        """Return room."""
        self._up()
        self.gpm_samples += 1
        return SimpleNamespace(at=0.0)

    def nvmlGpmSampleFree(self, sample: Any) -> None:
        """Take it back."""
        self._up()
        self.gpm_samples -= 1

    def nvmlGpmSampleGet(self, handle: c_void_p, sample: Any) -> Any:
        """Note when it was taken."""
        self._gpu(handle)
        sample.at = time.monotonic()
        return sample

    def nvmlGpmMetricsGet(self, request: Any) -> Any:
        """Fill in percent; a metric that nothing is known of is NaN, as from the driver."""
        self._up()
        assert request.sample1.at < request.sample2.at, "the older sample comes first"
        known = {2: 88.0, 5: 42.0, 10: self.scenario.dram_percent}
        for metric in request.metrics[: request.numMetrics]:
            metric.nvmlReturn, metric.value = Code.SUCCESS, known[metric.metricId]
        return request

    def _supported(self, name: str) -> None:
        if name in self.scenario.unsupported:
            raise FakeError(Code.NOT_SUPPORTED)
        if name in self.scenario.unknown:
            raise FakeError(Code.UNKNOWN)

    def _hang(self, gpu: int) -> None:
        for fault in self.scenario.hang:
            if fault.gpu == gpu and self.samples[gpu] > fault.sample:
                self.released.wait(fault.seconds)

    def _up(self) -> None:
        driver = self.scenario.driver
        if driver and not self._restarted and self.samples[0] > driver.sample:
            with self._lock:
                if self.users:
                    self.users, self._driver_failures = 0, driver.failing_starts
                    self.sets.clear()
        if not self.users:
            raise FakeError(Code.UNINITIALIZED)

    def _gpu(self, handle: c_void_p) -> int:
        """Return the index of a GPU that answers; raise what a lost one does."""
        self._up()
        gpu = number(handle)
        for fault in self.scenario.lost:
            back = fault.until_restart and self._restarted
            if fault.gpu == gpu and self.samples[gpu] > fault.sample and not back:
                raise FakeError(Code.GPU_IS_LOST)
        return gpu


def uuid_of(gpu: int) -> str:
    """Return the uuid of the GPU with that index."""
    return f"GPU-00000000-0000-4000-8000-{gpu:012d}"


def number(handle: c_void_p) -> int:
    """Return the index that a handle stands for."""
    assert handle.value
    return handle.value - 1
