"""Our alert rules, live: the real trainer on fake GPUs, scraped by a real Prometheus.

.venv/bin/pytest -m monitoring tests/e2e/test_live_alerts.py

Nobody waits ten minutes for an alert: every duration of the rules (`for`, ranges, offsets, ages in
seconds) and the intervals of prometheus.yml are divided by FACTOR, which `scaled` does without
touching anything else. What is shown here is that the series of a real target, with their labels,
raise the alert; that each duration is the right one is held by the promtool tests of the rules.
"""

import re
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from fakes.gpu_trainer import GpuTrainer, gpu_trainer
from fakes.nvml import uuid_of
from fakes.serving_process import free_port
from fakes.training import DATASET
from monitoring_tools import (
    MONITORING,
    RULES,
    answers,
    asked,
    load,
    rule_files,
    running,
    wait_for,
)

FACTOR = 30
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}
DURATION = re.compile(r"\b\d+(?:ms|[smhd])(?:\d+(?:ms|[smhd]))*\b")
PART = re.compile(r"(\d+)(ms|[smhd])")
QUOTED = re.compile(r'("[^"]*")')
# An age, compared with seconds: alone, or added to a multiple of a measured duration.
AGE = re.compile(r"(time\(\) - [\w:]+(?:\{[^}]*\})? [<>]=? (?:[\d.]+ \* \w+ \+ )?)(\d+)\b")
FORECAST = re.compile(r"(predict_linear\(.*\], )(\d+) \* (\d+)\)")

START_SECONDS = 90.0  # five services at once on a busy machine
TOLD_SECONDS = 60.0
# How much is free on the disk of the machine under test is no matter of a run's.
HOST_ALERTS = "OutputDisk"
LONG = {"max_steps": 100_000, "save_steps": 100}


def shorter(duration: str, factor: float) -> str:
    """Return a duration such as 1m30s, divided, in whole milliseconds."""
    seconds = sum(int(count) * UNITS[unit] for count, unit in PART.findall(duration))
    return f"{round(1000 * seconds / factor)}ms"


def faster(expression: str, factor: float) -> str:
    """Return a rule's expression with all its durations divided; no label and no name changes."""

    def age(found: re.Match[str]) -> str:
        return f"{found[1]}{int(found[2]) / factor:g}"

    def forecast(found: re.Match[str]) -> str:
        return f"{found[1]}{int(found[2]) * int(found[3]) / factor:g})"

    text = FORECAST.sub(forecast, AGE.sub(age, expression))
    pieces = QUOTED.split(text)
    pieces[::2] = [DURATION.sub(lambda each: shorter(each[0], factor), it) for it in pieces[::2]]
    return "".join(pieces)


def scaled(rules: Mapping[str, Any], factor: float) -> dict[str, Any]:
    """Return a file of rules with every duration divided by `factor`."""
    return {"groups": [scaled_group(group, factor) for group in rules["groups"]]}


def scaled_group(group: Mapping[str, Any], factor: float) -> dict[str, Any]:
    """Return a group of rules, alike."""
    rules = [
        divided(rule, ("for", "keep_firing_for"), factor) | {"expr": faster(rule["expr"], factor)}
        for rule in group["rules"]
    ]
    return divided(group, ("interval",), factor) | {"rules": rules}


def divided(entries: Mapping[str, Any], names: tuple[str, ...], factor: float) -> dict[str, Any]:
    """Return a mapping; of its entries, those with these names are shorter durations."""
    return {
        name: shorter(value, factor) if name in names else value for name, value in entries.items()
    }


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("gpu_up == 0", "gpu_up == 0"),
        ("max_over_time(a:rate5m[15m]) < 0.9", "max_over_time(a:rate5m[30000ms]) < 0.9"),
        ('rate(x{le="2.5",note="5m"}[1h30m])', 'rate(x{le="2.5",note="5m"}[180000ms])'),
        ("x > 0 unless x offset 10m", "x > 0 unless x offset 20000ms"),
        ('time() - x_seconds{xid=~"48|62"} < 300', 'time() - x_seconds{xid=~"48|62"} < 10'),
        ("time() - x > 5 * y + 120", "time() - x > 5 * y + 4"),
        ("predict_linear(x[1h], 4 * 3600) < 0", "predict_linear(x[120000ms], 480) < 0"),
        ("rate(x[6h:5m]) > 14.4 * 0.01", "rate(x[720000ms:10000ms]) > 14.4 * 0.01"),
    ],
)
def test_durations_are_divided_and_nothing_else(expression: str, expected: str) -> None:
    """Not a count, not a share, not a factor, not a name, not a label."""
    assert faster(expression, 30) == expected


def test_rule_file_is_scaled_as_a_whole() -> None:
    """`for` and the group's interval too; everything else stays, and the original does."""
    rule = {"alert": "A", "expr": "rate(x[1m]) > 60", "for": "2m", "labels": {"severity": "info"}}
    recording = {"record": "r", "expr": "y"}
    group = {"name": "g", "interval": "15s", "rules": [rule, recording]}
    (found,) = scaled({"groups": [group]}, 60)["groups"]
    changed = rule | {"expr": "rate(x[1000ms]) > 60", "for": "2000ms"}
    assert found == {"name": "g", "interval": "250ms", "rules": [changed, recording]}
    assert rule["for"] == "2m"


def test_no_age_in_our_rules_is_forgotten() -> None:
    """Every `time()` and every forecast is followed by seconds that `faster` finds."""
    for text in (rule["expr"] for path in rule_files() for rule in rules_of(path)):
        assert text.count("time()") == len(AGE.findall(text)), text
        assert text.count("predict_linear") == len(FORECAST.findall(text)), text


def rules_of(path: Path) -> list[dict[str, Any]]:
    """Return the rules of a file."""
    return [rule for group in load(path)["groups"] for rule in group["rules"]]


SAMPLE = f"{2 / FACTOR:.3f}"  # TRAINER_GPU_SECONDS
# The good one first: it is watched the longest. The last one's card is below the band, which takes
# the longest to be told: by then whatever would be wrong with the others has been told.
STORIES: dict[str, tuple[str, ...]] = {
    "healthy": ("--scenario", "within_band"),
    "stalled": ("--scenario", "within_band", "--failpoint", "fake.waits@20"),
    "diverged": ("--scenario", "within_band", "--failpoint", "fake.diverged"),
    "full": ("--scenario", "full", "--card", "1"),
    "lost": ("--scenario", "lost"),
}
Trainers = Mapping[str, GpuTrainer]


def configuration(trainers: Trainers, rules: Path) -> dict[str, Any]:
    """Return Prometheus' configuration: the shipped intervals, divided, and these targets."""
    shipped = load(MONITORING / "prometheus" / "prometheus.yml")["global"]
    every = shorter(shipped["scrape_interval"], FACTOR)
    times = {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every}
    targets = [
        {"targets": [f"127.0.0.1:{each.port}"], "labels": {"instance": name}}
        for name, each in trainers.items()
    ]
    job = {"job_name": "trainer", "static_configs": targets}
    return {
        "global": shipped | times,
        "rule_files": [f"{rules}/*.yml"],
        "scrape_configs": [job],
    }


@contextmanager
def prometheus(folder: Path, trainers: Trainers) -> Iterator[str]:
    """Run a Prometheus that scrapes these trainers and judges by our rules; yield its address."""
    rules = folder / "rules"
    rules.mkdir()
    for path in rule_files():
        text = yaml.safe_dump(scaled(load(path), FACTOR), sort_keys=False)
        (rules / path.name).write_text(text, encoding="utf-8")
    config = folder / "prometheus.yml"
    config.write_text(yaml.safe_dump(configuration(trainers, rules)), encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    options = [
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address={address}",
        "--log.level=warn",
    ]
    with running("prometheus", options, f"http://{address}/-/ready", folder / "prometheus.log"):
        yield f"http://{address}"


def ask(url: str, query: str) -> list[dict[str, Any]]:
    """Return what Prometheus answers to a query: the series with their values."""
    answer = asked(f"{url}/api/v1/query?query={urllib.parse.quote(query)}")
    return list(answer["data"]["result"])


def told(url: str) -> set[tuple[str, ...]]:
    """Return each train and GPU alert that has ever fired: (name, instance, severity, of what)."""
    names = {
        rule.get("alert") for name in ("gpu.yml", "train.yml") for rule in rules_of(RULES / name)
    }
    found = [
        each["metric"] for each in ask(url, 'count_over_time(ALERTS{alertstate="firing"}[1h])')
    ]
    return {
        (each["alertname"], each["instance"], each["severity"], *subject(each))
        for each in found
        if each["alertname"] in names and not each["alertname"].startswith(HOST_ALERTS)
    }


def subject(labels: Mapping[str, str]) -> list[str]:
    """Return the run or the GPU that an alert is about."""
    return [labels[name] for name in ("run_id", "uuid") if name in labels]


def broken_rules(url: str) -> list[str]:
    """Return the names of the rules that could not be evaluated."""
    groups = asked(f"{url}/api/v1/rules")["data"]["groups"]
    return [rule["name"] for group in groups for rule in group["rules"] if rule.get("lastError")]


def started(trainers: Trainers) -> dict[str, str]:
    """Start a run in each trainer once it answers; return their ids by the trainers' names."""
    runs = {}
    for name, each in trainers.items():
        wait_for(partial(answers, f"{each.url}/health"), START_SECONDS, name)
        body = {"dataset_id": DATASET, "overrides": LONG, "stop_when_flat": False}
        runs[name] = str(asked(f"{each.url}/runs", body)["id"])
    return runs


@pytest.mark.monitoring
def test_each_trouble_is_told_of_its_own_run_and_gpu(tmp_path: Path) -> None:
    """Five trainers side by side, each alert with its labels, and not one of the healthy run.

    A diverged run ends by itself, within a scrape: what is told is why it ended.
    """
    with ExitStack() as stack:
        trainers = {
            name: stack.enter_context(gpu_trainer(tmp_path / name, "--sample", SAMPLE, *arguments))
            for name, arguments in STORIES.items()
        }
        url = stack.enter_context(prometheus(tmp_path, trainers))
        runs = started(trainers)
        expected = {
            ("TrainStalled", "stalled", "critical", runs["stalled"]),
            ("TrainNonFinite", "diverged", "critical", runs["diverged"]),
            ("TrainFailed", "diverged", "critical", runs["diverged"]),
            ("TrainVramAboveBand", "full", "warning", uuid_of(1)),
            ("GpuLost", "lost", "critical", uuid_of(2)),
            ("TrainVramBelowBand", "lost", "info", uuid_of(0)),
        }
        with suppress(AssertionError):  # then the comparison says what is missing
            wait_for(lambda: told(url) >= expected, TOLD_SECONDS, "alerts")
        assert told(url) == expected
        assert broken_rules(url) == []
        assigned = "train_gpu_assigned and on (run_id) train_state{state='running'} == 1"
        query = f"gpu:memory_used:ratio{{instance='healthy'}} and on (instance, uuid) ({assigned})"
        (watched,) = ask(url, query)  # it was quiet, not absent
        assert float(watched["value"][1]) == pytest.approx(0.93)
