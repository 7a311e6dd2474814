"""Every registry of ours, filled so that each family has a sample: what monitoring/metrics names.

`REGISTRIES[name](folder)` returns the registry whose families `monitoring/metrics/<name>.yaml`
lists; `folder` is an empty one to work in. `described` says of a registry what such a file says.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from repository import ROOT

FILES = ROOT / "monitoring" / "metrics"
# Labels that a bucket or a quantile adds by itself.
OWN_LABELS = frozenset({"le", "quantile"})


def touched(registry: CollectorRegistry) -> CollectorRegistry:
    """Give every family with labels a child, since one without has no sample; return `registry`.

    The client library tells the label names of a family nowhere else than in private attributes.
    """
    for collector in list(registry._collector_to_names):
        if isinstance(collector, MetricWrapperBase) and collector._labelnames:
            collector.labels(*collector._labelnames)
    return registry


def standard(_: Path) -> CollectorRegistry:
    """Return what kit adds to each service."""
    from kit.exposition import add_standard

    registry = CollectorRegistry()
    add_standard(registry, "testing", "1.0", {})
    return registry


def datagen(_: Path) -> CollectorRegistry:
    """Return datagen's."""
    from fakes.metrics import datagen_registry

    return touched(datagen_registry())


def gpu(_: Path) -> CollectorRegistry:
    """Return the trainer's, of its GPUs."""
    from fakes.gpu_series import gpu_registry

    return gpu_registry()


def serving(_: Path) -> CollectorRegistry:
    """Return serving's."""
    from fakes.metrics import serving_registry

    return touched(serving_registry())


def train(folder: Path) -> CollectorRegistry:
    """Return the trainer's, of its runs: one that trains and says everything."""
    from fakes.metrics import train_registry

    return train_registry(folder)


def ui(_: Path) -> CollectorRegistry:
    """Return the page's."""
    from ui.metrics import UiMetrics

    registry = CollectorRegistry()
    UiMetrics(registry)
    return touched(registry)


REGISTRIES: dict[str, Callable[[Path], CollectorRegistry]] = {
    "all": standard,
    "datagen": datagen,
    "gpu": gpu,
    "serving": serving,
    "train": train,
    "ui": ui,
}


def described(registry: CollectorRegistry) -> dict[str, dict[str, Any]]:
    """Return type, labels and help of each family, under the name that it is exposed with.

    A family without a sample has `labels` None. A gauge whose name ends in `_info` is an info.
    """
    found: dict[str, dict[str, Any]] = {}
    for family in registry.collect():
        name, kind = family.name, family.type
        if kind in ("counter", "info"):
            name += {"counter": "_total", "info": "_info"}[kind]
        if name.endswith("_info"):
            kind = "info"
        sets = {frozenset(sample.labels) - OWN_LABELS for sample in family.samples}
        labels = sorted(next(iter(sets))) if len(sets) == 1 else None
        found[name] = {"type": kind, "labels": labels, "help": family.documentation}
    return found


def committed(name: str) -> dict[str, dict[str, Any]]:
    """Return what `monitoring/metrics/<name>.yaml` says."""
    found: dict[str, dict[str, Any]] = yaml.safe_load((FILES / f"{name}.yaml").read_text())
    return found
