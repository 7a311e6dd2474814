"""Prometheus' own programs, for tests marked `monitoring`: on PATH, or from scripts/prometheus.sh.

A missing one skips the test and says how to get it; in CI it is a failure.
"""

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import pytest
import yaml

from repository import ROOT
from tonesmith.stack.prometheus import find_program

MONITORING = ROOT / "monitoring"
RULES = MONITORING / "prometheus" / "rules"
# Debian's package calls Alertmanager by a longer name.
NAMES = {"alertmanager": ("alertmanager", "prometheus-alertmanager")}
START_SECONDS = 30.0
STOP_SECONDS = 20.0


def tool(name: str) -> str:
    """Return the path of prometheus, promtool, alertmanager or amtool; skip without it."""
    found = find_program(os.environ, *NAMES.get(name, (name,)))
    if found:
        return str(found)
    cannot_run(f"there is no {name}: scripts/prometheus.sh gets it without root")


def cannot_run(said: str) -> NoReturn:
    """End a test whose tool does not run here: skipped with the way out, in CI a failure."""
    if os.environ.get("CI"):
        pytest.fail(said)
    pytest.skip(said)


def run_tool(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; what it says is in `stdout`, errors included."""
    command = [tool(name), *map(str, arguments)]
    return subprocess.run(
        command, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def load(path: Path) -> Any:
    """Return a YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def rule_files() -> list[Path]:
    """Return the files of the rules."""
    return sorted(RULES.glob("*.yml"))


@cache
def alerts() -> dict[str, dict[str, Any]]:
    """Return every alert of the rules by its name."""
    groups = [group for path in rule_files() for group in load(path)["groups"]]
    rules = [rule for group in groups for rule in group["rules"] if "alert" in rule]
    return {rule["alert"]: rule for rule in rules}


@contextmanager
def running(name: str, arguments: Sequence[object], ready: str, log: Path) -> Iterator[None]:
    """Run a program as long as the block, from the moment that the address `ready` answers.

    Args:
        name: of the program.
        arguments: its command line.
        ready: an address that answers 200 once it works.
        log: where its words go.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            [tool(name), *map(str, arguments)], stdout=output, stderr=subprocess.STDOUT
        )
    try:
        wait_for(lambda: process.poll() is not None or answers(ready), START_SECONDS, name)
        assert process.poll() is None, log.read_text(encoding="utf-8")
        yield
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def wait_for(reached: Callable[[], object], seconds: float, what: str) -> None:
    """Wait until something is so; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.2)


def answers(url: str) -> bool:
    """Return whether an address answers with success."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def asked(url: str, body: object = None) -> Any:
    """Return what an address answers, as JSON; with a body it is posted."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as response:
        text = response.read()
    return json.loads(text) if text else None
