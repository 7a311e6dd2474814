"""Prometheus metrics of the page; labels are bounded: `model` is base or tuned, never a name."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

# Seconds; a small model on a CPU answers its first token within one, a cold one within some.
LATENCY_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30)
DURATION_BUCKETS = (0.25, 0.5, 1, 2, 5, 10, 30, 60, 120)
MODELS = ("base", "tuned")
# `rejected`: too many wait already; `unavailable`: a training run has the GPU, or a service ends.
OUTCOMES = ("ok", "error", "cancelled", "rejected", "unavailable")
UPSTREAMS = ("serving", "control", "trainer", "datagen")
FAILURES = ("connect", "timeout", "http_4xx", "http_5xx", "stream_broken")
DIRECTIONS = ("input", "output")
# `wrong`: name or password; `wait`: too many tries.
LOGIN_REASONS = ("wrong", "wait")


class UiMetrics:
    """The families `ui_*`. Every series is there from the start, so that no first event is missed.

    Args:
        registry: where they are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.requests = self.counter(
            "ui_chat_requests",
            "Chat replies asked for, by outcome: ok, error, cancelled, rejected, unavailable.",
            {"model": MODELS, "outcome": OUTCOMES},
        )
        self.upstream_errors = self.counter(
            "ui_upstream_errors",
            "Failed calls to another service; an announced refusal is none.",
            {"upstream": UPSTREAMS, "kind": FAILURES},
        )
        self.tokens = self.counter(
            "ui_tokens",
            "Tokens of replies that ended whole, as serving counted them.",
            {"model": MODELS, "direction": DIRECTIONS},
        )
        self.disconnects = self.counter(
            "ui_client_disconnects",
            "Replies that were cancelled because their reader was gone.",
            {"model": MODELS},
        )
        self.measure_people()
        self.in_progress = self.gauge("ui_chats_in_progress", "Replies being streamed now.")
        self.queue_length = self.gauge("ui_queue_length", "Messages that wait for a free place.")
        self.sessions = self.gauge("ui_sessions", "Open pages and connected programs.")
        self.first_token = self.histogram(
            "ui_time_to_first_token_seconds",
            "From asking to the first piece of the reply.",
            LATENCY_BUCKETS,
        )
        self.duration = self.histogram(
            "ui_chat_duration_seconds", "From asking to the end of the reply.", DURATION_BUCKETS
        )

    def measure_people(self) -> None:
        """Register what people do besides chatting."""
        self.logins_failed = self.counter(
            "ui_logins_failed",
            "Log-ins that were refused: wrong name or password, or too many tries.",
            {"reason": LOGIN_REASONS},
        )
        self.votes_waiting = self.gauge(
            "ui_votes_waiting", "Votes that datagen has not taken yet; those it refused are none."
        )

    def counter(self, name: str, said: str, labels: dict[str, tuple[str, ...]]) -> Counter:
        """Return a counter that begins with 0 for every combination of one or two labels."""
        family = Counter(name, said, list(labels), registry=self.registry)
        first, *others = labels.values()
        for value in first:
            for rest in others[0] if others else ("",):
                family.labels(*([value, rest] if others else [value]))
        return family

    def gauge(self, name: str, said: str) -> Gauge:
        """Return a gauge without labels."""
        return Gauge(name, said, registry=self.registry)

    def histogram(self, name: str, said: str, buckets: tuple[float, ...]) -> Histogram:
        """Return a histogram for each kind of model."""
        family = Histogram(name, said, ["model"], buckets=buckets, registry=self.registry)
        for model in MODELS:
            family.labels(model)
        return family

    def login_failed(self, reason: str) -> None:
        """Count a log-in that was refused."""
        self.logins_failed.labels(reason).inc()

    def watch(self, queue_length: Callable[[], float], sessions: Callable[[], float]) -> None:
        """Read two gauges from who knows them, at each scrape."""
        self.queue_length.set_function(queue_length)
        self.sessions.set_function(sessions)
