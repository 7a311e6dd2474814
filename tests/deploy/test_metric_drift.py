"""Rules, alerts and dashboards name only metrics and labels that exist.

Ours are those of `monitoring/metrics/`, which a contract test holds against the code; vLLM's are
those of `monitoring/vllm-metrics.txt`, which is read from the source of the locked release.
"""

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from dashboard_queries import EVERYTHING, Query, queries
from metric_names import ANY, VLLM, labels_of, ours, recordings, rules
from promql import filled, groupings, selectors
from repository import ROOT

SCRIPT = ROOT / "scripts" / "vllm_metrics.py"
VARIABLES = ("job", "instance", "run_id", "uuid", "model", "teacher", "variant")
# What the texts of an alert may name.
QUERY_IN_TEXT = re.compile(r"query\s+[\"`]([^\"`]+)[\"`]")
LABEL_IN_TEXT = re.compile(r"\$labels\.(\w+)")


def rule_name(rule: dict[str, Any]) -> str:
    """Return what a rule is called."""
    return str(rule.get("alert") or rule["record"])


def rule_exprs(rule: dict[str, Any]) -> list[str]:
    """Return the queries of a rule: its own, and those inside its texts."""
    texts = rule.get("annotations", {}).values()
    return [rule["expr"], *(found for text in texts for found in QUERY_IN_TEXT.findall(text))]


def sent(query: Query) -> str:
    """Return the query of a dashboard as Grafana sends it."""
    return filled(query.expr, dict.fromkeys(VARIABLES, EVERYTHING))


ALL = [
    *((rule_name(rule), expr) for rule in rules() for expr in rule_exprs(rule)),
    *((str(query), sent(query)) for query in queries()),
]


def test_every_metric_exists() -> None:
    """A name that nothing exposes is a panel without data, or an alert that never fires."""
    unknown = {
        f"{place}: {each.metric}"
        for place, expr in ALL
        for each in selectors(expr)
        if labels_of(each.metric) is None
    }
    assert not unknown


def test_every_matched_label_exists() -> None:
    """A matcher on a label that the metric has not selects nothing, or everything."""
    foreign = {
        f"{place}: {each.metric} has no {label}"
        for place, expr in ALL
        for each in selectors(expr)
        for label in each.matchers
        if not has(label, [each.metric])
    }
    assert not foreign


def test_every_label_that_is_grouped_or_joined_by_exists() -> None:
    """At least one of the metrics inside has it, unless the query makes it."""
    foreign = {
        f"{place}: {label} of {', '.join(each.metrics)}"
        for place, expr in ALL
        for each in groupings(expr)
        for label in each.labels
        if label not in each.made and not has(label, each.metrics)
    }
    assert not foreign


def has(label: str, names: Iterable[str]) -> bool:
    """Return whether one of the metrics has, or may have, a label; unknown ones may."""
    known = [labels_of(name) or ANY for name in names]
    return ANY in known or any(label in labels for labels in known)


def test_every_label_in_the_text_of_an_alert_exists() -> None:
    """`{{ $labels.uuid }}` would stay empty where no metric of the alert has it."""
    foreign = {
        f"{rule['alert']}: {label}"
        for rule in rules()
        for text in rule.get("annotations", {}).values()
        for label in LABEL_IN_TEXT.findall(text)
        if not has(label, [each.metric for each in selectors(rule["expr"])])
    }
    assert not foreign


def test_a_misspelt_name_is_found() -> None:
    """The names are told apart to the letter, suffixes of histograms included."""
    assert labels_of("train_los") is None
    assert labels_of("train_step_duration_seconds") is None
    assert labels_of("train_step_duration_seconds_bucket") == {"run_id", "le", "job", "instance"}
    assert labels_of("vllm:gpu_cache_usage_perc") is None


def test_recordings_read_what_exists_and_are_read() -> None:
    """A recording that nothing reads is work for nothing."""
    read = {each.metric for _, expr in ALL for each in selectors(expr)}
    assert set(recordings()) <= read


def test_every_metric_of_ours_begins_with_its_family() -> None:
    """The prefix says which service it is of."""
    families = ("gpu_", "train_", "datagen_", "serving_", "ui_", "build_", "process_", "python_")
    assert not [metric.name for metric in ours() if not metric.name.startswith(families)]


def test_list_of_vllm_is_of_the_locked_release() -> None:
    """After a new lock: python scripts/vllm_metrics.py."""
    lock = (ROOT / "services" / "serving" / "engine.lock").read_text(encoding="utf-8")
    (locked,) = re.findall(r"^vllm(?:-cpu)?==([^\s+;]+)", lock, re.MULTILINE)
    assert VLLM.read_text(encoding="utf-8").startswith(f"# vLLM {locked}: ")


@pytest.mark.engines
def test_list_of_vllm_is_what_its_source_says() -> None:
    """The metrics of the installed release, read again."""
    checked = subprocess.run(
        [sys.executable, str(SCRIPT), "--check"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


SOURCE = """
LATE = "vllm:late"
class Logger:
    def __init__(self, labelnames):
        self.extra = "slot"
        waiting = self._gauge_cls(name="vllm:waiting", labelnames=labelnames + ["reason"])
        slots = self._gauge_cls(name="vllm:slots", labelnames=[self.extra])
        hits = self._counter_cls(name="vllm:hits", labelnames=labelnames)
        done = Counter("vllm:done_total", "Done.", ["status"])
        late = Histogram(LATE, "Late.")
        info = self._gauge_cls(name="vllm:info", labelnames=config.keys())
        specs = [("vllm:one", "One."), ("vllm:two", "Two.")]
        both = [self._counter_cls(name=name, labelnames=labelnames) for name, text in specs]
        other = Counter("not_vllm", "Another.")
"""


def test_source_is_read_without_running_it(tmp_path: Path) -> None:
    """Literals, constants, attributes, sums of lists, loops over a table; `*` for the rest."""
    package = tmp_path / "vllm"
    package.mkdir()
    (package / "loggers.py").write_text(f"import prometheus_client\n{SOURCE}", encoding="utf-8")
    (tmp_path / "vllm-9.9.dist-info").mkdir()
    (tmp_path / "vllm-9.9.dist-info" / "METADATA").touch()
    (tmp_path / "prometheus_fastapi_instrumentator").mkdir()
    (tmp_path / "prometheus_fastapi_instrumentator" / "metrics.py").touch()
    target = tmp_path / "list.txt"
    subprocess.run(
        [sys.executable, str(SCRIPT), "--site-packages", str(tmp_path), "--target", str(target)],
        check=True,
    )
    lines = target.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# vLLM 9.9: ")
    assert [line for line in lines if not line.startswith("#")] == [
        "vllm:done_total counter status",
        "vllm:hits_total counter model_name engine",
        "vllm:info gauge *",
        "vllm:late histogram",
        "vllm:one_total counter model_name engine",
        "vllm:slots gauge slot",
        "vllm:two_total counter model_name engine",
        "vllm:waiting gauge model_name engine reason",
    ]
