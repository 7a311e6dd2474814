"""Metrics of datagen; names, units and labels as in monitoring/: labels are closed enums."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from contracts.sample import RejectReason

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
            "Tokens as the teacher counts them.",
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
        self.last_accept = Gauge(
            "datagen_last_accept_timestamp_seconds",
            "Unix time of the newest accepted row.",
            registry=registry,
        )
