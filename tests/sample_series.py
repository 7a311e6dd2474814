"""Hours of every metric there is, as OpenMetrics with times: a history to put queries to.

One host trains on two GPUs: one run has failed, a second one is under way; people chat, a teacher
is asked for rows. Counters rise, histograms have buckets, states are one at a time.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import product

from metric_names import Metric, of_vllm, ours

FAILED, RUNNING = "calm-20260101-aaaaaa", "calm-20260101-bbbbbb"
UUIDS = ("GPU-1111", "GPU-2222")
BUCKETS = (0.1, 0.5, 1.0, 2.5, 10.0, 100.0, 1000.0, math.inf)
INSTANCES = {
    "trainer": "trainer:8002",
    "datagen": "datagen:8001",
    "serving": "serving:8010",
    "vllm": "serving:8010",
    "ui": "ui:7861",
    "prometheus": "localhost:9090",
    "alertmanager": "alertmanager:9093",
}
# What each label can be; one that is not here has one value.
VALUES: dict[str, tuple[str, ...]] = {
    "run_id": (FAILED, RUNNING),
    "uuid": UUIDS,
    "bound": ("low", "high"),
    "kind": ("allocated", "reserved", "peak_allocated", "peak_reserved"),
    "role": ("trainer", "serving", "other"),
    "direction": ("input", "output"),
    "outcome": ("ok", "error", "accepted", "rejected"),
    "status": ("ok", "rate_limited", "200", "503"),
    "reason": ("sw_power_cap", "hw_thermal", "duplicate", "capacity"),
    "finished_reason": ("stop", "length", "abort"),
    "sleep_state": ("awake", "weights_offloaded", "discard_all"),
    "value": ("up", "down"),
    "split": ("train", "eval"),
    "xid": ("13", "79"),
}
STATES = {
    "train_state": ("queued", "running", "succeeded", "failed", "stopped"),
    "serving_state": ("waiting", "starting", "ready", "draining", "failed", "lent"),
}
Labels = Mapping[str, str]


def exposition(start: float, end: float, step: float) -> Iterator[str]:
    """Yield the lines of an OpenMetrics file.

    Args:
        start: the first moment, in Unix time.
        end: the last one.
        step: seconds between scrapes.
    """
    moments = [start + step * index for index in range(int((end - start) / step) + 1)]
    yield "# TYPE up gauge"
    for job, instance in INSTANCES.items():
        yield from lines("up", {"job": job, "instance": instance}, moments, lambda _: 1.0)
    for metric in (*ours(), *of_vllm()):
        kind = "gauge" if metric.kind == "info" else metric.kind
        family = metric.name.removesuffix("_total") if kind == "counter" else metric.name
        yield f"# TYPE {family} {kind}"
        target = {"job": metric.job, "instance": INSTANCES[metric.job]}
        for labels in label_sets(metric):
            yield from samples(metric, target | labels, moments)
    yield "# EOF"


def label_sets(metric: Metric) -> Iterator[dict[str, str]]:
    """Yield every combination of the labels of a metric."""
    names = sorted(metric.labels - {"*"})
    choices = [values_of(metric.name, name) for name in names]
    for values in product(*choices):
        yield dict(zip(names, values, strict=True))


def values_of(metric: str, label: str) -> tuple[str, ...]:
    """Return what a label of a metric can be."""
    if label == "state":
        return STATES[metric]
    if metric.endswith("_info") and label != "run_id" and label != "uuid":
        return (f"a-{label}",)
    return VALUES.get(label, (f"a-{label}",))


def samples(metric: Metric, labels: Labels, moments: list[float]) -> Iterator[str]:
    """Yield the samples of one series, or of the several ones of a histogram."""
    began = moments[0]

    def risen(moment: float) -> float:
        return (moment - began) / 10

    if metric.kind in ("histogram", "summary"):
        if metric.kind == "histogram":
            for place, bound in enumerate(BUCKETS, start=1):
                share = place / len(BUCKETS)
                edge = labels | {"le": "+Inf" if bound == math.inf else repr(bound)}
                name = f"{metric.name}_bucket"
                yield from lines(name, edge, moments, lambda at, part=share: risen(at) * part)
        yield from lines(f"{metric.name}_count", labels, moments, risen)
        yield from lines(f"{metric.name}_sum", labels, moments, lambda at: risen(at) * 0.8)
    elif metric.kind == "counter":
        yield from lines(metric.name, labels, moments, risen)
    else:
        known = alive(metric.name, labels, moments)
        yield from lines(metric.name, labels, known, gauge(metric.name, labels, moments[-1]))


def alive(name: str, labels: Labels, moments: list[float]) -> list[float]:
    """Return when a gauge has a value: only the failed run has ended, only the other holds GPUs."""
    run = labels.get("run_id")
    ended = name in ("train_end_timestamp_seconds", "train_stop", "train_exit_code")
    if (ended and run == RUNNING) or (name == "train_gpu_assigned" and run == FAILED):
        return []
    return moments


def gauge(name: str, labels: Labels, end: float) -> Callable[[float], float]:
    """Return the value of a gauge by moment."""
    run = labels.get("run_id")
    if name.endswith("_info"):
        return lambda _: 1.0
    if name == "train_state":
        now = "failed" if run == FAILED else "running"
        return lambda _: float(labels["state"] == now)
    if name == "serving_state":
        return lambda _: float(labels["state"] == "ready")
    if name.endswith("_timestamp_seconds"):
        # The failed run came first; what goes on is of a minute ago.
        back = 7200 if run == FAILED else 3000 if name.startswith("train_start") else 60
        return lambda _: end - back
    if name == "train_vram_target_ratio":
        return lambda _: 0.9 if labels["bound"] == "low" else 0.95
    return levels(name, end)


def levels(name: str, end: float) -> Callable[[float], float]:
    """Return a level that fits the unit in the name."""
    constant = {
        "gpu_up": 1.0,
        "gpu_nvml_available": 1.0,
        "train_gpu_assigned": 1.0,
        "gpu_memory_total_bytes": 80e9,
        "gpu_memory_used_bytes": 74e9,
        "train_max_steps": 1000.0,
        "train_plateau_patience_steps": 200.0,
    }
    if name in constant:
        return lambda _: constant[name]
    if name == "train_step":
        return lambda at: max(0.0, 900 - (end - at) / 10)
    if name == "train_best_eval_loss":
        return lambda at: 2 - math.floor(max(0.0, 7200 - (end - at)) / 900) / 10
    if name.endswith("_ratio") or name.endswith("_perc"):
        return lambda at: 0.5 + 0.4 * math.sin(at / 600)
    return lambda at: 50 + 40 * math.sin(at / 600)


def lines(
    name: str, labels: Labels, moments: list[float], value: Callable[[float], float]
) -> Iterator[str]:
    """Yield one line for each moment."""
    pairs = ",".join(f'{key}="{text}"' for key, text in labels.items())
    for moment in moments:
        yield f"{name}{{{pairs}}} {value(moment)!r} {moment:.3f}"
