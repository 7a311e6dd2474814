"""GPUs as the trainer sees them now: the body of `GET /gpus`."""

from datetime import datetime

from pydantic import Field

from contracts.model import Recorded


class GpuReading(Recorded):
    """One GPU; what it does not support, or no longer tells, is None."""

    uuid: str
    index: int
    name: str
    up: bool = Field(description="False: it was there, and no longer answers")
    memory_total_bytes: int | None = None
    memory_used_bytes: int | None = None
    utilization_ratio: float | None = Field(
        default=None, description="share of the time in which any kernel ran, 0 to 1"
    )
    power_watts: float | None = None
    power_limit_watts: float | None = None
    temperature_celsius: float | None = None


class GpuReport(Recorded):
    """Every GPU ever seen, and when they were last read."""

    available: bool = Field(description="whether NVIDIA's management library answers")
    sampled_at: datetime | None = None
    gpus: list[GpuReading] = []
