"""serving's own metrics; vLLM's are on `/engine/metrics`."""

from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

# Series that begin at 0, so that their first event is a rise.
LOADS = ("loaded", "refused")
LEASES = ("granted", "refused", "ended", "expired")
STATES = ("waiting", "starting", "ready", "draining", "failed", "lent")
LOAD_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class ServingMetrics:
    """The launcher's metrics.

    Args:
        registry: what `/metrics` shows.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.state = Gauge(
            "serving_state", "1 for the current state.", ["state"], registry=registry
        )
        self.generation = Gauge(
            "serving_generation", "Generation of current.json that is served.", registry=registry
        )
        self.adapters = Gauge("serving_adapters", "Adapters loaded.", registry=registry)
        self.failing = Gauge("serving_errors", "Names that cannot be served.", registry=registry)
        self.loads = Counter(
            "serving_adapter_loads", "Adapters loaded or refused.", ["outcome"], registry=registry
        )
        self.load_seconds = Histogram(
            "serving_adapter_load_seconds",
            "Check, load and verification of one adapter.",
            buckets=LOAD_BUCKETS,
            registry=registry,
        )
        self.agreement = Gauge(
            "serving_golden_agreement_ratio",
            "Greedy agreement of the newest adapter with the trainer.",
            registry=registry,
        )
        self.flips = Counter("serving_alias_flips", "Aliases that moved.", registry=registry)
        self.starts = Counter("serving_engine_starts", "Starts of vLLM.", registry=registry)
        self.start_seconds = Gauge(
            "serving_engine_start_seconds", "The newest start until ready.", registry=registry
        )
        self.leases = Counter(
            "serving_leases",
            "Leases of the GPU: granted, refused, ended by their holder, expired.",
            ["outcome"],
            registry=registry,
        )
        for counter, outcomes in ((self.loads, LOADS), (self.leases, LEASES)):
            for outcome in outcomes:
                counter.labels(outcome)
        self.gate = GateCollector()
        registry.register(self.gate)

    def loaded_well(self, seconds: float, agreement: float) -> None:
        """Count an adapter that was loaded and verified."""
        self.loads.labels("loaded").inc()
        self.load_seconds.observe(seconds)
        self.agreement.set(agreement)

    def count_lease(self, outcome: str) -> None:
        """Count what became of a lease."""
        self.leases.labels(outcome).inc()

    def show(self, state: str, generation: int, adapters: int, errors: int) -> None:
        """Show the launcher's state."""
        for name in STATES:
            self.state.labels(name).set(name == state)
        self.generation.set(generation)
        self.adapters.set(adapters)
        self.failing.set(errors)


class GateCollector:
    """Shows the newest snapshot of the gate, which lives in the engine's process.

    Its counts begin at 0 with each start of the engine, as Prometheus expects of a counter.
    """

    def __init__(self) -> None:
        self.snapshot: dict[str, Any] = {}

    def collect(self) -> Iterator[Metric]:
        """Yield requests by asked name and status, and open requests by version."""
        requests = CounterMetricFamily(
            "serving_requests",
            "Answers by asked name (empty: refused before one was known) and status.",
            labels=["model", "status"],
        )
        for row in self.snapshot.get("requests", []):
            requests.add_metric([row["model"], str(row["status"])], row["count"])
        yield requests
        inflight = GaugeMetricFamily(
            "serving_requests_in_flight", "Open requests by version.", labels=["model"]
        )
        for name, count in self.snapshot.get("inflight", {}).items():
            inflight.add_metric([name], count)
        yield inflight
