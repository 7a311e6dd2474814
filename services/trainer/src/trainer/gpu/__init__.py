"""The GPUs of this host: sampled in the background, kept in memory, rendered as `gpu_*` series.

    with watching(load(), seconds=2) as watch:
        registry.register(watch.collector)

Only `nvml.py` knows the library; everything else takes it as an argument, so that tests pass a
fake. docs: what each series means stands in `monitoring/metrics/gpu.yaml`.
"""

from trainer.gpu.watch import GpuWatch, watching

__all__ = ["GpuWatch", "watching"]
