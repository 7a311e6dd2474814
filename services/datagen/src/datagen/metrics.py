"""Metrics of datagen; names, units and labels as in monitoring/: labels are closed enums."""

import time
from collections.abc import Iterator, Mapping
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from contracts.sample import RejectReason
from datagen.usage import Usage

Shown = TypeVar("Shown", bound=Collector)
TOKENS = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
SECONDS = (0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """All series of the service.

    Args:
        registry: where they are registered; a fresh one by default.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry = registry or CollectorRegistry()
        self.teacher_requests = Counter(
            "datagen_teacher_requests",
            "Requests to the teacher by how they ended: ok or the kind of failure.",
            ["model", "status"],
            registry=registry,
        )
        self.retries = Counter(
            "datagen_retries",
            "Requests to the teacher that are asked again.",
            ["model", "reason"],
            registry=registry,
        )
        self.tokens = Counter(
            "datagen_tokens",
            "Tokens as the teacher counts them; cached are part of input, reasoning of output.",
            ["model", "direction"],
            registry=registry,
        )
        self._add_rows(registry)
        self._add_gauges(registry)
        self.teacher_seconds = Histogram(
            "datagen_teacher_request_duration_seconds",
            "Duration of a request to the teacher.",
            ["model"],
            buckets=SECONDS,
            registry=registry,
        )
        self.sample_tokens = Histogram(
            "datagen_sample_tokens",
            "Tokens of accepted rows as the teacher counts them: all that it was sent, its reply.",
            ["field"],
            buckets=TOKENS,
            registry=registry,
        )

    def _add_rows(self, registry: CollectorRegistry) -> None:
        self.samples = Counter(
            "datagen_samples",
            "Rows judged by the gates; reason is empty for accepted ones.",
            ["outcome", "reason"],
            registry=registry,
        )
        self.imported = Counter(
            "datagen_imported_rows",
            "Rows read by imports; reason is empty for accepted ones.",
            ["outcome", "reason"],
            registry=registry,
        )
        for series in (self.samples, self.imported):
            series.labels("accepted", "")
            for reason in RejectReason:
                series.labels("rejected", reason.value)

    def _add_gauges(self, registry: CollectorRegistry) -> None:
        self.inflight = Gauge(
            "datagen_inflight_requests",
            "Requests to the teacher under way.",
            ["model"],
            registry=registry,
        )
        self._open: set[str] = set()
        self.breaker_open = Gauge(
            "datagen_breaker_open",
            "1 while the circuit breaker keeps requests from the teacher.",
            registry=registry,
        )
        self.target = Gauge(
            "datagen_target_samples",
            "Rows that the current generation asks for.",
            registry=registry,
        )
        self.rows = Gauge(
            "datagen_dataset_samples",
            "Rows of the newest published dataset.",
            ["split"],
            registry=registry,
        )
        self.last_accept = Known(
            "datagen_last_accept_timestamp_seconds",
            "Unix time of the newest accepted row.",
            registry,
        )
        self.dataset_bytes = Known(
            "datagen_dataset_bytes", "Size of the newest published dataset.", registry
        )
        self.duplicates = Known(
            "datagen_duplicate_ratio",
            "Share of the newest generation's judged replies that repeat an accepted one.",
            registry,
        )

    def count_sample(self, usage: Usage) -> None:
        """Count an accepted row, whose reply took these tokens."""
        self.samples.labels("accepted", "").inc()
        self.last_accept.set(time.time())
        for field, tokens in (("prompt", usage.input), ("reply", usage.shown)):
            if tokens is not None:
                self.sample_tokens.labels(field).observe(tokens)

    def show_breaker(self, model: str, is_open: bool) -> None:
        """Show that a teacher's breaker is open or closed; the gauge is 1 while any is open."""
        (self._open.add if is_open else self._open.discard)(model)
        self.breaker_open.set(int(bool(self._open)))

    def show_dataset(self, rows: Mapping[str, int], size: int) -> None:
        """Show the newest dataset: its rows by split, its size in bytes."""
        for split, count in rows.items():
            self.rows.labels(split).set(count)
        self.dataset_bytes.set(size)

    def shown(self, collector: Shown) -> Shown:
        """Show what somebody else counts; return it."""
        self.registry.register(collector)
        return collector


class Known(Collector):
    """A gauge that has no series before its value is known: 0 would be taken for a fact.

    Args:
        name: of the series.
        text: its help.
        registry: where it is registered.
    """

    def __init__(self, name: str, text: str, registry: CollectorRegistry) -> None:
        self.name = name
        self.text = text
        self.value: float | None = None
        registry.register(self)

    def set(self, value: float) -> None:
        """Show this value from now on."""
        self.value = value

    def collect(self) -> Iterator[Metric]:
        """Yield the family, with a sample once there is one."""
        family = GaugeMetricFamily(self.name, self.text)
        if self.value is not None:
            family.add_metric([], self.value)
        yield family
