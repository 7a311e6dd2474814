"""Every metric that exists: ours by `monitoring/metrics/`, vLLM's by its list, Prometheus' own."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from repository import ROOT

FOLDER = ROOT / "monitoring"
VLLM = FOLDER / "vllm-metrics.txt"
RULES = sorted((FOLDER / "prometheus" / "rules").glob("*.yml"))
# What Prometheus adds to every series of a target.
TARGET = frozenset({"job", "instance"})
# Which job a file of ours comes from, where it is not the trainer.
JOBS = {name: name for name in ("datagen", "serving", "ui")}
# Of Prometheus and Alertmanager; alerts carry labels of their own.
PROMETHEUS_OWN = re.compile(r"up|ALERTS(_FOR_STATE)?|(scrape|prometheus|alertmanager)_\w+")
ANY = frozenset({"*"})


@dataclass(frozen=True)
class Metric:
    """One metric.

    Args:
        name: as exposed; a histogram's without suffix.
        kind: counter, gauge, histogram, summary or info.
        labels: of its own; `*` alone: any.
        job: whose it is.
    """

    name: str
    kind: str
    labels: frozenset[str]
    job: str

    def series(self) -> dict[str, frozenset[str]]:
        """Return the labels of each name that is stored."""
        if self.kind == "histogram":
            ends = {"_bucket": self.labels | {"le"}, "_sum": self.labels, "_count": self.labels}
            return {self.name + end: labels for end, labels in ends.items()}
        if self.kind == "summary":
            return {self.name + end: self.labels for end in ("_sum", "_count")}
        return {self.name: self.labels}


def ours() -> list[Metric]:
    """Return what `monitoring/metrics/` names."""
    return [
        Metric(name, entry["type"], frozenset(entry["labels"]), JOBS.get(path.stem, "trainer"))
        for path in sorted((FOLDER / "metrics").glob("*.yaml"))
        for name, entry in yaml.safe_load(path.read_text(encoding="utf-8")).items()
    ]


def of_vllm() -> list[Metric]:
    """Return what the locked vLLM exposes."""
    found = []
    for line in VLLM.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            name, kind, *labels = line.split()
            known = ANY if "*" in labels else frozenset(labels)
            found.append(Metric(name, kind, known, "vllm"))
    return found


@cache
def recordings() -> Mapping[str, str]:
    """Return the expression of each recording of ours by its name."""
    return {rule["record"]: rule["expr"] for rule in rules() if "record" in rule}


def rules() -> list[dict[str, Any]]:
    """Return every rule of every file."""
    return [
        rule
        for path in RULES
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
    ]


@cache
def stored() -> Mapping[str, frozenset[str]]:
    """Return the labels of every series name, those of its target too; `*`: any."""
    found = {
        name: labels if labels == ANY else labels | TARGET
        for metric in (*ours(), *of_vllm())
        for name, labels in metric.series().items()
    }
    return found | dict.fromkeys(recordings(), ANY)


def labels_of(name: str) -> frozenset[str] | None:
    """Return the labels of a series name, `*` for any, None where nothing has this name."""
    return ANY if PROMETHEUS_OWN.fullmatch(name) else stored().get(name)
