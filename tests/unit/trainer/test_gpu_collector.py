"""The series of GPUs: rendered from memory, absent rather than NaN, and stale rather than old."""

import time

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from fakes.gpu_series import UUID, full_collector, gpu_registry
from fakes.nvml import FakeNvml, uuid_of
from repository import ROOT
from trainer.gpu.collector import STALE_INTERVALS, STALE_SECONDS, GpuCollector
from trainer.gpu.families import label_text
from trainer.gpu.sampler import GpuSampler
from trainer.gpu.watch import GpuWatch


def parsed(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return each series of an exposition with its value."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_both_renderings_say_the_same() -> None:
    """Ours, which the exporter serves, and the client library's, which the trainer serves."""
    collector = full_collector()
    registry = CollectorRegistry()
    registry.register(collector)
    text = collector.exposition().decode()
    theirs = generate_latest(registry).decode()
    assert parsed(text) == parsed(theirs)
    comments = [line for line in theirs.splitlines() if line.startswith("#")]
    assert comments == [line for line in text.splitlines() if line.startswith("#")]


def test_committed_list_has_every_family() -> None:
    """`monitoring/metrics/gpu.yaml` is what dashboards and rules are held against."""
    listed = yaml.safe_load((ROOT / "monitoring/metrics/gpu.yaml").read_text())
    found = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in gpu_registry().collect()
    }
    assert found == set(listed)


def test_label_values_are_escaped() -> None:
    """A process may be called anything."""
    labels = label_text(("process",), ('a"b\\\nc',))
    text = f"gpu_up{labels} 1\n"
    (family,) = text_string_to_metric_families(text)
    assert family.samples[0].labels == {"process": 'a"b\\\nc'}


def test_snapshot_that_is_too_old_says_nothing_of_now() -> None:
    """The sampler itself hangs: GPUs are down, their series are gone, the heartbeat ages."""
    collector = full_collector()
    at = collector.sampler.snapshot.at
    collector.clock = lambda: at + STALE_SECONDS + STALE_INTERVALS * 2 - 1
    assert collector.fresh(collector.sampler.snapshot)
    collector.clock = lambda: at + STALE_SECONDS + STALE_INTERVALS * 2 + 1
    series = parsed(collector.exposition().decode())
    assert series["gpu_up", (("uuid", UUID),)] == 0
    assert series["gpu_nvml_available", ()] == 0
    assert not any(name.startswith("gpu_memory") for name, _ in series)
    assert series["gpu_last_sample_timestamp_seconds", ()] == pytest.approx(at)


def test_machine_without_gpus_tells_only_that() -> None:
    """No sample is no moment: a 0 there would look as if sampling had stopped in 1970."""
    sampler = GpuSampler(FakeNvml.of("no_driver"), seconds=2)
    sampler.cycle()
    registry = CollectorRegistry()
    registry.register(GpuCollector(sampler))
    samples = [sample.name for family in registry.collect() for sample in family.samples]
    assert samples == ["gpu_nvml_available"]
    assert registry.get_sample_value("gpu_nvml_available") == 0


def test_report_has_every_gpu_ever_seen() -> None:
    """The lost one is there without readings."""
    sampler = GpuSampler(FakeNvml.of("lost"), seconds=2)
    for _ in range(4):
        sampler.cycle()
    report = GpuWatch(sampler).report()
    sampler.stop()
    assert [gpu.index for gpu in report.gpus] == list(range(8))
    assert [gpu.uuid for gpu in report.gpus if not gpu.up] == [uuid_of(2)]
    assert report.gpus[2].memory_used_bytes is None
    assert report.gpus[1].memory_used_bytes == 2 << 30
    assert report.sampled_at is not None
    assert time.time() - report.sampled_at.timestamp() < 60
