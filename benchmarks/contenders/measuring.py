"""What a contender is given and what it reports; standard library only, for any environment.

    python <contender>.py prompts.json base_url concurrency folder

The last line that it prints is JSON: rows, seconds and CPU seconds from the first request to the
last row, without imports; and the peak memory of its largest process, in MB, with imports.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MODEL = "mock"


@dataclass(frozen=True)
class Work:
    """What to ask: pairs of system message and question."""

    prompts: list[tuple[str, str]]
    base_url: str
    concurrency: int
    folder: Path


def read_work() -> Work:
    """Return the work in the arguments."""
    prompts, base_url, concurrency, folder = sys.argv[1:]
    pairs = [(system, user) for system, user in json.loads(Path(prompts).read_text())]
    return Work(pairs, base_url, int(concurrency), Path(folder))


def measure(run: Callable[[], int]) -> None:
    """Call `run`, which returns the number of rows, and print what it took."""
    cpu, began = cpu_seconds(), time.monotonic()
    rows = run()
    seconds, cpu = time.monotonic() - began, cpu_seconds() - cpu
    peak = max(resource.getrusage(who).ru_maxrss for who in WHO) / 1024
    found = {"rows": rows, "seconds": seconds, "cpu": cpu, "peak_mb": peak}
    sys.stdout.write(f"\n{json.dumps(found)}\n")


WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def cpu_seconds() -> float:
    """Return the CPU time of this process and of its ended children."""
    used = [resource.getrusage(who) for who in WHO]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)
