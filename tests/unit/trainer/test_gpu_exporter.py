"""The exporter over HTTP, on hosts where something is wrong: a scrape is answered at once."""

import signal
import time
from pathlib import Path

import pytest

from fakes.exporter_process import exporter, fake_host
from fakes.nvml import uuid_of

SCRAPE_SECONDS = 1.0
# The scenario, how many GPUs it has, and which of them are down once it has gone wrong.
FAULTS = {
    "lost": (8, {2}),
    "unsupported": (2, set()),
    "driver_gone": (4, {0, 1, 2, 3}),
    "hang": (8, {1}),
    "mig": (2, set()),
}


@pytest.mark.parametrize("scenario", FAULTS)
def test_scrape_is_answered_at_once_whatever_is_wrong(scenario: str, tmp_path: Path) -> None:
    """200 within a second; healthy GPUs keep their series, the others have `gpu_up 0` alone."""
    count, down = FAULTS[scenario]
    with fake_host(scenario, tmp_path / "log") as host:
        ups = {uuid_of(gpu): float(gpu not in down) for gpu in range(count)}
        host.until(lambda series: series.get("gpu_up") == ups)
        seconds = []
        for _ in range(5):
            answer, took = host.scrape()
            assert answer.status_code == 200
            assert "nan" not in answer.text.lower().replace("nanos", "")
            seconds.append(took)
        # What is wrong holds up every scrape; what a loaded machine does to one tells nothing.
        assert sorted(seconds)[2] < SCRAPE_SECONDS
        series = host.series()
        healthy = {uuid_of(gpu) for gpu in range(count) if gpu not in down}
        for name, values in series.items():
            if name not in {"gpu_up", "gpu_info", "gpu_nvml_errors_total"}:
                assert not set(values) - healthy - {""}, name
        for name in ("gpu_memory_used_bytes", "gpu_power_watts", "gpu_energy_joules_total"):
            assert set(series.get(name, {})) == healthy, name
        assert series["gpu_nvml_available"][""] == float(scenario != "driver_gone")


def test_hanging_driver_holds_up_neither_scrapes_nor_the_end(tmp_path: Path) -> None:
    """A GPU that hangs for a minute: the others go on being sampled, and SIGTERM ends us."""
    with fake_host("hang", tmp_path / "log") as host:
        host.until(lambda series: series.get("gpu_up", {}).get(uuid_of(1)) == 0)
        before = host.series()["gpu_last_sample_timestamp_seconds"][""]
        host.until(lambda series: series["gpu_last_sample_timestamp_seconds"][""] > before)
        began = time.monotonic()
        host.process.send_signal(signal.SIGTERM)
        assert host.process.wait(30) == 0
        assert time.monotonic() - began < 30  # it hangs for a minute


def test_exporter_on_a_machine_without_driver_lives_on(tmp_path: Path) -> None:
    """The real program with the real bindings, which find no library here."""
    environ = {"LD_LIBRARY_PATH": "", "TONESMITH_REVISION": "abc"}
    with exporter(lambda _: ["-m", "trainer.gpu_exporter"], environ, tmp_path / "log") as host:
        assert host.http.get("/ready").json() == {"ready": True, "reasons": []}
        assert host.http.get("/elsewhere").status_code == 404
        answer, _ = host.scrape()
        assert 'build_info{revision="abc",service="gpu",version="' in answer.text
        assert "process_cpu_seconds_total" in answer.text
        if "gpu_nvml_available 0.0" in answer.text:  # a developer's machine may have a GPU
            assert "gpu_last_sample_timestamp_seconds" not in answer.text


def test_misspelt_setting_is_refused(tmp_path: Path) -> None:
    """It is named, and nothing is served."""
    log = tmp_path / "log"
    environ = {"GPU_EXPORTER_SECOND": "1"}
    with (
        pytest.raises(AssertionError, match="GPU_EXPORTER_SECOND: no such setting"),
        exporter(lambda _: ["-m", "trainer.gpu_exporter"], environ, log),
    ):
        pass


def test_address_that_is_taken_is_named(tmp_path: Path) -> None:
    """The second exporter on a port says so and ends."""
    with fake_host("healthy", tmp_path / "log") as host:
        port = host.http.base_url.port
        environ = {"GPU_EXPORTER_PORT": str(port)}
        program = ["-m", "trainer.gpu_exporter"]
        with (
            pytest.raises(AssertionError, match=f":{port}: Address already in use"),
            exporter(lambda _: program, environ, tmp_path / "second"),
        ):
            pass
