"""A GPU exporter as a process of its own, asked over HTTP as Prometheus does."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from fakes.serving_process import free_port
from repository import ROOT

SOURCES = ("tests", "libs/contracts/src", "libs/kit/src", "services/trainer/src")
Series = dict[str, dict[str, float]]


class ExporterProcess:
    """A running exporter; `series` scrapes it."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30)

    def scrape(self) -> tuple[httpx.Response, float]:
        """Return the answer to a scrape, and how many seconds it took."""
        began = time.monotonic()
        answer = self.http.get("/metrics")
        return answer, time.monotonic() - began

    def series(self) -> Series:
        """Return values by name and by the uuid, which is empty where there is none."""
        found: Series = {}
        for family in text_string_to_metric_families(self.scrape()[0].text):
            for sample in family.samples:
                found.setdefault(sample.name, {})[sample.labels.get("uuid", "")] = sample.value
        return found

    def until(self, wanted: Callable[[Series], bool], seconds: float = 60) -> Series:
        """Scrape until something is so; fails with the last answer where it never is."""
        end = time.monotonic() + seconds
        while not wanted(series := self.series()):
            assert time.monotonic() < end, series
            time.sleep(0.05)
        return series


@contextmanager
def exporter(
    arguments: Callable[[int], list[str]], environ: Mapping[str, str], log: Path
) -> Iterator[ExporterProcess]:
    """Run an exporter, whose arguments may depend on the port, until the end of the block."""
    port = free_port()
    paths = os.pathsep.join(str(ROOT / source) for source in SOURCES)
    own = {"PATH": os.environ["PATH"], "PYTHONPATH": paths, "GPU_EXPORTER_PORT": str(port)}
    with log.open("wb") as file:
        command = [sys.executable, *arguments(port)]
        process = subprocess.Popen(command, env={**own, **environ}, stdout=file, stderr=file)
        running = ExporterProcess(process, port)
        try:
            wait_until_up(running, log)
            yield running
        finally:
            running.http.close()
            process.kill()
            process.wait()


def wait_until_up(running: ExporterProcess, log: Path) -> None:
    """Return once the exporter answers."""
    end = time.monotonic() + 60
    while True:
        try:
            running.http.get("/health").raise_for_status()
        except httpx.TransportError:
            assert running.process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)
        else:
            return


def fake_host(scenario: str, log: Path) -> AbstractContextManager[ExporterProcess]:
    """Run `fakes.gpu_host` with a scenario."""
    program = ["-m", "fakes.gpu_host", "--scenario", scenario]
    return exporter(lambda port: [*program, "--port", str(port)], {}, log)
