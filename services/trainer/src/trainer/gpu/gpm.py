"""How busy SMs, tensor cores and memory are: GPU performance monitoring (GPM), Hopper and later.

Two samples of the GPU's counters, one from this cycle and one from the last, give the mean in
between. It needs neither DCGM nor privileges.
"""

import math
from typing import Any

from trainer.gpu.nvml import GPM_VERSION, Code, Handle, Nvml

# `NVML_GPM_METRIC_SM_UTIL`, `_ANY_TENSOR_UTIL`, `_DRAM_BW_UTIL`: percent.
METRICS = {2: "sm_active_ratio", 5: "tensor_active_ratio", 10: "dram_active_ratio"}


class Activity:
    """The samples of one GPU; raises the library's error where the GPU has no GPM."""

    def __init__(self, nvml: Nvml, handle: Handle) -> None:
        self.nvml = nvml
        self.handle = handle
        self._request: Any = None
        self._older: Any = None
        self._newer: Any = None

    def read(self) -> dict[str, Any]:
        """Take a sample, and return the means since the last one; none at the first call."""
        if self._request is None:
            self._start()
            return {}
        self.nvml.nvmlGpmSampleGet(self.handle, self._older)
        self._older, self._newer = self._newer, self._older
        self._request.sample1, self._request.sample2 = self._older, self._newer
        self.nvml.nvmlGpmMetricsGet(self._request)
        return ratios(self._request)

    def _start(self) -> None:
        """Take the first sample; raises NOT_SUPPORTED where the GPU counts nothing."""
        nvml = self.nvml
        if not nvml.nvmlGpmQueryDeviceSupport(self.handle).isSupportedDevice:
            raise nvml.NVMLError(Code.NOT_SUPPORTED)
        self._older = self._older or nvml.nvmlGpmSampleAlloc()
        self._newer = self._newer or nvml.nvmlGpmSampleAlloc()
        nvml.nvmlGpmSampleGet(self.handle, self._newer)
        self._request = self._asked()

    def close(self) -> dict[str, Any]:
        """Give the samples back; only while the library is up. Returns no readings."""
        samples = [each for each in (self._older, self._newer) if each is not None]
        self._older = self._newer = self._request = None
        for sample in samples:
            self.nvml.nvmlGpmSampleFree(sample)
        return {}

    def _asked(self) -> Any:
        request = self.nvml.c_nvmlGpmMetricsGet_t()
        request.version = GPM_VERSION
        request.numMetrics = len(METRICS)
        for place, metric in enumerate(METRICS):
            request.metrics[place].metricId = metric
        return request


def ratios(request: Any) -> dict[str, Any]:
    """Return what `nvmlGpmMetricsGet` filled in, 0 to 1; an unfilled metric is left out."""
    found = {}
    for place, name in enumerate(METRICS.values()):
        metric = request.metrics[place]
        if metric.nvmlReturn == Code.SUCCESS and math.isfinite(metric.value):
            found[name] = min(max(metric.value / 100, 0.0), 1.0)
    return found
