"""Prometheus metrics of the page; labels are bounded: `model` is base or tuned, never a name."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

# Seconds; a small model on a CPU answers its first token within one, a cold one within some.
LATENCY_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30)
DURATION_BUCKETS = (0.25, 0.5, 1, 2, 5, 10, 30, 60, 120)


class UiMetrics:
    """The families `ui_*`.

    Args:
        registry: where they are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "ui_chat_requests",
            "Chat replies asked for, by outcome: ok, error, cancelled.",
            ["model", "outcome"],
            registry=registry,
        )
        self.upstream_errors = Counter(
            "ui_upstream_errors",
            "Failed calls to another service.",
            ["upstream", "kind"],
            registry=registry,
        )
        self.in_progress = Gauge(
            "ui_chats_in_progress", "Replies being streamed now.", registry=registry
        )
        self.first_token = Histogram(
            "ui_time_to_first_token_seconds",
            "From asking to the first piece of the reply.",
            ["model"],
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.duration = Histogram(
            "ui_chat_duration_seconds",
            "From asking to the end of the reply.",
            ["model"],
            buckets=DURATION_BUCKETS,
            registry=registry,
        )
