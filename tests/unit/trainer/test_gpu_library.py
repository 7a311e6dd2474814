"""Our collector through the real bindings on a C library: what a fake in Python cannot prove.

The fake `libnvidia-ml.so.1` has the layouts of `nvml.h`; nvidia-ml-py loads it as it would the
driver's.
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fakes.exporter_process import ExporterProcess, exporter
from fakes.nvml import uuid_of
from repository import ROOT

SOURCE = ROOT / "tests/fakes/libnvml/fake_nvml.c"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the compiled library."""
    compiler = shutil.which("cc")
    if not compiler:
        pytest.skip("no C compiler: nvidia-ml-py is not tested (apt-get install gcc)")
    folder = tmp_path_factory.mktemp("libnvml")
    target = folder / "libnvidia-ml.so.1"
    options = ["-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run([compiler, *options, "-o", str(target), str(SOURCE)], check=True)
    return folder


@contextmanager
def host(library: Path, log: Path, **faults: str) -> Iterator[ExporterProcess]:
    """Our exporter on the library."""
    environ = {"LD_LIBRARY_PATH": str(library), "GPU_EXPORTER_SECONDS": "0.1", **faults}
    with exporter(lambda _: ["-m", "trainer.gpu_exporter"], environ, log) as running:
        yield running


def test_every_reading_comes_through_the_bindings(library: Path, tmp_path: Path) -> None:
    """Values, units and structs: field values, memory, GPM, PCI, all of them."""
    with host(library, tmp_path / "log", FAKE_NVML_GPUS="2", FAKE_NVML_LINKS="18") as running:
        series = running.until(lambda found: bool(found.get("gpu_sm_active_ratio")))
        answer = running.scrape()[0].text
        gpu = uuid_of(1)
        expected = {
            "gpu_memory_total_bytes": 80 << 30,
            "gpu_memory_used_bytes": 60 << 30,
            "gpu_memory_free_bytes": 19 << 30,
            "gpu_memory_reserved_bytes": 1 << 30,
            "gpu_utilization_ratio": 0.97,
            "gpu_sm_active_ratio": 0.88,
            "gpu_tensor_active_ratio": 0.42,
            "gpu_dram_active_ratio": 0.63,
            "gpu_power_watts": 310,
            "gpu_power_limit_watts": 700,
            "gpu_temperature_celsius": 61,
            "gpu_memory_temperature_celsius": 55,
            "gpu_sm_clock_hertz": 1.755e9,
            "gpu_ecc_uncorrected_errors": 0,
            "gpu_pcie_link_width": 16,
            "gpu_pcie_replays_total": 3,
            "gpu_recovery_action": 0,
        }
        assert {name: series[name][gpu] for name in expected} == pytest.approx(expected)
        for name in ("energy_joules", "throttle_seconds", "pcie_bytes", "nvlink_bytes"):
            assert series[f"gpu_{name}_total"][gpu] > 0
        assert 'pci_bus_id="00000000:11:00.0",driver="580.95.05",cuda="13.0"' in answer
        assert "gpu_nvml_errors_total{" not in answer


def test_lost_gpu_and_its_xid_come_through_the_bindings(library: Path, tmp_path: Path) -> None:
    """The handle in the event is a pointer, and its uuid is known from before."""
    faults = {"FAKE_NVML_GPUS": "3", "FAKE_NVML_LOST": "2:4", "FAKE_NVML_XID": "2:79"}
    with host(library, tmp_path / "log", **faults) as running:
        series = running.until(lambda found: found.get("gpu_up", {}).get(uuid_of(2)) == 0)
        assert set(series["gpu_memory_used_bytes"]) == {uuid_of(0), uuid_of(1)}
        series = running.until(lambda found: bool(found.get("gpu_xid_errors_total")))
        assert series["gpu_xid_errors_total"] == {uuid_of(2): 1}
