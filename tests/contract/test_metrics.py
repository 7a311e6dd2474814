"""Metrics are a contract: what each registry exposes is what monitoring/metrics names."""

import re
from pathlib import Path

import pytest

from metric_registries import FILES, REGISTRIES, committed, described

# Base units, and words that are units of their own; what counts things has none.
UNITS = re.compile(
    r"_(milliseconds|microseconds|minutes|hours|days|millis|kilobytes|megabytes|mebibytes|gigabytes"
    r"|percent|kilowatts|milliwatts|kwh|celsius_degrees|fahrenheit|megahertz|mhz|ms|mb|mib|gb|pct)"
    r"(_|$)"
)
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
RESERVED = frozenset({"job", "instance", "le", "quantile", "cluster", "namespace", "pod"})
# Each label that we use, and what bounds its values.
BOUNDED = {
    "bound": "low, high",
    "call": "functions of the GPU library",
    "code": "its return codes",
    "config_hash": "one for each of the latest runs",
    "cuda": "of the driver",
    "dataset": "of the latest runs",
    "direction": "closed list",
    "driver": "of the host",
    "field": "closed list",
    "generation": "of Python's garbage collector",
    "implementation": "of Python",
    "index": "GPUs of the host",
    "kind": "closed list",
    "major": "of Python",
    "method": "recipes that ship",
    "minor": "of Python",
    "model": "bases, served names, or the teacher's: the operator's, never a user's",
    "name": "GPUs of the host",
    "outcome": "closed list",
    "patchlevel": "of Python",
    "pci_bus_id": "GPUs of the host",
    "pid": "the largest processes only, where asked for",
    "process": "as pid",
    "rank": "processes of a run",
    "reason": "closed list",
    "revision": "one",
    "role": "closed list",
    "run_id": "the latest five",
    "service": "one",
    "split": "train, eval",
    "state": "closed list",
    "status": "closed list, or statuses of HTTP",
    "upstream": "our services",
    "uuid": "GPUs of the host",
    "value": "closed list",
    "version": "one",
    "world_size": "of the latest runs",
    "xid": "numbers of the driver's list",
}
# Python's and the process's own, which are the client library's.
FOREIGN = ("python_", "process_")


@pytest.mark.parametrize("name", REGISTRIES)
def test_registry_is_what_its_file_says(name: str, tmp_path: Path) -> None:
    """Name, type, labels and help of each family, in both directions."""
    found = described(REGISTRIES[name](tmp_path))
    written = committed(name)
    assert sorted(found) == sorted(written)
    for family, known in found.items():
        assert known["labels"] is not None, f"{family} has no sample, or some of other labels"
        expected = written[family] | {"labels": sorted(written[family]["labels"])}
        assert known == expected, family


def test_each_file_has_its_registry() -> None:
    """A file that nothing holds would go stale."""
    assert {path.stem for path in FILES.glob("*.yaml")} == set(REGISTRIES)


@pytest.mark.parametrize("name", REGISTRIES)
def test_names_follow_the_rules(name: str) -> None:
    """Base units, `_total` on counters alone, help that is a sentence."""
    for family, known in committed(name).items():
        assert NAME.fullmatch(family), family
        assert not UNITS.search(family), f"{family}: no base unit"
        assert family.endswith("_total") == (known["type"] == "counter"), family
        assert family.endswith("_info") == (known["type"] == "info"), family
        assert known["type"] in ("gauge", "counter", "histogram", "info"), family
        assert not family.endswith(("_count", "_sum", "_bucket", "_created")), family
        if not family.startswith(FOREIGN):
            assert known["help"].endswith("."), f"{family}: help is a sentence"
            assert name == "all" or family.startswith(f"{name}_"), family


@pytest.mark.parametrize("name", REGISTRIES)
def test_labels_are_bounded(name: str) -> None:
    """No label of Prometheus' own, and none whose values a user decides."""
    for family, known in committed(name).items():
        assert not RESERVED.intersection(known["labels"]), family
        assert set(known["labels"]) <= set(BOUNDED), f"{family}: say what bounds its labels"
        assert known["type"] != "info" or known["labels"], family


def test_no_name_is_given_twice() -> None:
    """Rules and dashboards look a name up by itself."""
    names = [family for name in REGISTRIES for family in committed(name)]
    assert len(names) == len(set(names))
