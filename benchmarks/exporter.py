"""CPU and scrape latency of our GPU exporter against nvitop-exporter, on the same fake driver.

    python benchmarks/exporter.py [--gpus 8] [--links 0] [--rounds 2] [--seconds 10]

Both are programs of their own and load the same fake `libnvidia-ml.so.1` (compiled here from
tests/fakes/libnvml), which answers at once: what is measured is the exporters, not a driver. Both
sample once a second and are scraped once a second; CPU is what the kernel counted for the process,
per second of wall time, taken in turns. Latency is of scrapes in quick succession. The client keeps
its connection where the exporter does, as Prometheus. Ends with status 1 where ours takes more than
half of nvitop-exporter's CPU, or where its p99 is 20 ms or more; with 2 where something to measure
with is missing.

nvitop-exporter is installed once into ${TONESMITH_CACHE:-~/.cache/tonesmith}/bench-nvitop.
"""

import argparse
import http.client
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
RIVAL = "nvitop-exporter==1.7.2"
SOURCES = ("libs/contracts/src", "libs/kit/src", "services/trainer/src")
CPU_SHARE = 0.5
P99_SECONDS = 0.020
WARM_SECONDS = 3
BURST, BURST_PAUSE = 200, 0.01


class MissingError(Exception):
    """Something to measure with is missing; the message says what."""


@dataclass
class Found:
    """What was measured of one exporter."""

    name: str
    cpu: list[float] = field(default_factory=list)  # CPU seconds per second, by round
    scrapes: list[list[float]] = field(default_factory=list)  # seconds, by round
    series: int = 0
    memory: int = 0

    @property
    def share(self) -> float:
        """CPU seconds per second of wall time, over all rounds."""
        return statistics.fmean(self.cpu)

    def quantile(self, percent: int) -> float:
        """Return the scrape latency that so many percent stay below, in seconds.

        Of the quietest round: other work on the machine adds to it, and nothing takes away.
        """
        return min(
            statistics.quantiles(scrapes, n=100, method="inclusive")[percent - 1]
            for scrapes in self.scrapes
        )


def main() -> int:
    """Measure, print a table, and return the exit status."""
    parser = argparse.ArgumentParser(description="Our GPU exporter against nvitop-exporter")
    parser.add_argument("--gpus", type=int, default=8)
    parser.add_argument("--links", type=int, default=0, help="NVLinks of each GPU; an SXM card: 18")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10, help="of a round, for each exporter")
    options = parser.parse_args()
    try:
        rival = rival_environment()
        with tempfile.TemporaryDirectory(prefix="exporter-") as folder:
            environ = fake_driver(Path(folder), options.gpus, options.links)
            ours, theirs = measured(rival, environ, options.rounds, options.seconds)
    except MissingError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return report(ours, theirs)


def rival_environment() -> Path:
    """Return the program of nvitop-exporter, installed where it is not yet."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    cache = Path(os.environ.get("TONESMITH_CACHE") or Path(home, "tonesmith"))
    folder = cache / "bench-nvitop"
    program = folder / "bin/nvitop-exporter"
    if not (folder / ".complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        command = [str(folder / "bin/python"), "-m", "pip", "install", "-q", RIVAL]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode or not program.exists():
            raise MissingError(f"{RIVAL} cannot be installed:\n{made.stderr[-2000:]}")
        (folder / ".complete").touch()
    return program


def fake_driver(folder: Path, gpus: int, links: int) -> dict[str, str]:
    """Compile the fake driver into `folder`; return an environment that loads it."""
    compiler = shutil.which("cc")
    if not compiler:
        raise MissingError("no C compiler (cc): the fake driver cannot be built")
    source = ROOT / "tests/fakes/libnvml/fake_nvml.c"
    library = folder / "libnvidia-ml.so.1"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(source)], check=True
    )
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LD_LIBRARY_PATH": str(folder),
        "FAKE_NVML_GPUS": str(gpus),
        "FAKE_NVML_LINKS": str(links),
        "PYTHONPATH": os.pathsep.join(str(ROOT / source) for source in SOURCES),
    }


def measured(
    rival: Path, environ: dict[str, str], rounds: int, seconds: float
) -> tuple[Found, Found]:
    """Return what was measured of ours and of the rival, in turns, the order turning round."""
    ours, theirs = Found("ours"), Found(RIVAL)
    for turn in range(rounds):
        pair = [
            (ours, [sys.executable, "-m", "trainer.gpu_exporter"], "GPU_EXPORTER_PORT"),
            (theirs, [str(rival), "--interval", "1", "--bind-address", "127.0.0.1"], ""),
        ]
        for found, command, variable in pair if turn % 2 == 0 else pair[::-1]:
            port = free_port()
            own = {variable: str(port), "GPU_EXPORTER_SECONDS": "1"} if variable else {}
            arguments = command if variable else [*command, "--port", str(port)]
            with running(arguments, environ | own, port) as process:
                take_turn(found, process, port, seconds)
    return ours, theirs


def take_turn(found: Found, process: psutil.Process, port: int, seconds: float) -> None:
    """Measure one exporter for a round."""
    time.sleep(WARM_SECONDS)
    connection = connected(port)
    scrape(connection)  # whatever is made at the first one
    before, began = cpu_seconds(process), time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        text = scrape(connection)
        time.sleep(max(0.0, 1 - (time.monotonic() - began - passed)))
    found.cpu.append((cpu_seconds(process) - before) / (time.monotonic() - began))
    found.series = sum(1 for line in text.splitlines() if line and not line.startswith("#"))
    found.memory = process.memory_info().rss
    scrapes = []
    for _ in range(BURST):
        start = time.perf_counter()
        scrape(connection)
        scrapes.append(time.perf_counter() - start)
        time.sleep(BURST_PAUSE)
    found.scrapes.append(scrapes)
    connection.close()


def cpu_seconds(process: psutil.Process) -> float:
    """Return the CPU time of a process so far, all its threads, also ended ones, to the nanosecond.

    `/proc` counts in ticks of 10 ms, more than a whole second of either exporter. The clock's
    number is `clock_getcpuclockid(3)`'s, which Python does not have.
    """
    return time.clock_gettime(~process.pid << 3 | 2)


def scrape(connection: http.client.HTTPConnection) -> str:
    """Return what an exporter serves; raises MissingError where it is not 200."""
    connection.request("GET", "/metrics")
    answer = connection.getresponse()
    text = answer.read().decode()
    if answer.status != 200:
        raise MissingError(f"an exporter answered {answer.status}")
    return text


def connected(port: int) -> http.client.HTTPConnection:
    """Return a client that keeps its connection where the exporter does, as Prometheus."""
    return http.client.HTTPConnection("127.0.0.1", port, timeout=10)


@contextmanager
def running(command: list[str], environ: dict[str, str], port: int) -> Iterator[psutil.Process]:
    """Run an exporter until the end of the block."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
        try:
            wait_until_up(process, port)
            yield psutil.Process(process.pid)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until_up(process: subprocess.Popen[bytes], port: int) -> None:
    """Return once the exporter answers; raises MissingError where it ends or never does."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with closing(connected(port)) as connection:
                scrape(connection)
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise MissingError(f"{process.args!r} does not answer")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def report(ours: Found, theirs: Found) -> int:
    """Print what was found; return 0 where ours is as light and as fast as asked."""
    write = sys.stdout.write
    write(f"{'':24} {'CPU':>8} {'p50':>9} {'p99':>9} {'series':>7} {'memory':>8}\n")
    for found in (ours, theirs):
        write(
            f"{found.name:24} {found.share:8.2%} {found.quantile(50) * 1e3:6.1f} ms "
            f"{found.quantile(99) * 1e3:6.1f} ms {found.series:7} {found.memory >> 20:4} MiB\n"
        )
    ratio = ours.share / theirs.share
    rounds = ", ".join(f"{a / b:.2f}" for a, b in zip(ours.cpu, theirs.cpu, strict=True))
    write(f"CPU of ours to theirs: {ratio:.2f} (rounds: {rounds}; asked: {CPU_SHARE} at most)\n")
    fast = ours.quantile(99) < P99_SECONDS
    write(f"p99 below {P99_SECONDS * 1e3:.0f} ms: {'yes' if fast else 'no'}\n")
    return 0 if ratio <= CPU_SHARE and fast else 1


if __name__ == "__main__":
    sys.exit(main())
