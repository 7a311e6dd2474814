"""Requests/s of our generation beside the bare SDK and the tools that generate data, side by side.

    python benchmarks/teacher.py [--requests 2000] [--concurrency 64 256] [--rounds 3] [--only ...]

All ask one mock endpoint in a process of its own (200 ± 20 ms, about 120 Chinese characters). Ours
is a whole generation: prompts, client, gates, fsynced journals. The bare SDK is asyncio and openai
on its aiohttp backend, by `chat.completions.create` and by the lower-level `post`. distilabel,
curator and data-designer run in environments of their own below the cache folder, made here once;
one that cannot be installed or fails is named. The order turns round in each round, medians are
printed. The last line is `ratio X.XX`: ours to the bare SDK's better way at the first concurrency.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from contracts.dataset import DatasetRequest
from contracts.style import StyleVersion
from datagen.config import Settings, shipped_folder
from datagen.drawing import Questions
from datagen.library import load_cards
from datagen.prompts import Prompts, teacher_messages
from datagen.questions import load_banks
from datagen.slots import plan

ROOT = Path(__file__).parents[1]
SCRIPTS = Path(__file__).parent / "contenders"
STYLE = "tsundere"
TIMEOUT_SECONDS = 600


@dataclass(frozen=True)
class Contender:
    """A script, what it needs installed (nothing: our own environment), its variables.

    distilabel 1.5.3 imports requests without declaring it.
    """

    name: str
    script: str
    package: str = ""
    variables: tuple[tuple[str, str], ...] = ()


OURS = "ours"
RAW = ("raw create", "raw post")
CONTENDERS = [
    Contender(OURS, "ours.py"),
    Contender("ours, budget", "ours.py", variables=(("BUDGET", "1000"),)),
    Contender("raw create", "raw.py", variables=(("RAW", "create"),)),
    Contender("raw post", "raw.py", variables=(("RAW", "post"),)),
    Contender("curator", "curator.py", "bespokelabs-curator==0.1.31"),
    Contender("data-designer", "designer.py", "data-designer==0.9.6"),
    Contender("distilabel", "labels.py", "distilabel[openai]==1.5.3 requests"),
]
Found = dict[tuple[str, int], list[dict[str, float]]]


def main() -> int:
    """Measure, print a table, and return the exit status."""
    parser = argparse.ArgumentParser(description="Our teacher client beside others")
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=[c.name for c in CONTENDERS])
    options = parser.parse_args()
    chosen = [c for c in CONTENDERS if options.only is None or c.name in options.only]
    with tempfile.TemporaryDirectory(prefix="bench-teacher-") as folder:
        bench = Bench(Path(folder), options.requests)
        ready = [(c, python) for c in chosen if (python := bench.environment(c))]
        found = bench.rounds(ready, options.concurrency, options.rounds)
    return report(found, bench.missing, options.concurrency)


class Bench:
    """Runs contenders in one folder.

    Args:
        folder: to work in.
        requests: of each run.
    """

    def __init__(self, folder: Path, requests: int) -> None:
        self.folder = folder
        self.requests = requests
        self.missing: dict[str, str] = {}
        self.prompts = folder / "prompts.json"
        self.prompts.write_text(json.dumps(prompts(requests)))

    def environment(self, contender: Contender) -> str | None:
        """Return the interpreter that a contender runs on; None, noted, where there is none."""
        if not contender.package:
            return sys.executable
        try:
            return str(installed(contender))
        except (subprocess.CalledProcessError, OSError) as error:
            self.missing[contender.name] = f"cannot be installed: {error}"
            return None

    def rounds(
        self, contenders: list[tuple[Contender, str]], concurrencies: list[int], rounds: int
    ) -> Found:
        """Return the measurements by contender and concurrency."""
        found: Found = {}
        for number in range(rounds):
            order = contenders if number % 2 == 0 else contenders[::-1]
            for contender, python in order:
                for concurrency in concurrencies:
                    measured = self.run(contender, python, concurrency)
                    if measured:
                        found.setdefault((contender.name, concurrency), []).append(measured)
                        rate = measured["rows"] / measured["seconds"]
                        say(f"round {number + 1}  {contender.name} at {concurrency}: {rate:.0f}/s")
        return found

    def run(self, contender: Contender, python: str, concurrency: int) -> dict[str, float] | None:
        """Return what one run took; None, noted, where it failed."""
        with mock() as base_url:
            work = self.folder / "work"
            shutil.rmtree(work, ignore_errors=True)
            script = str(SCRIPTS / contender.script)
            command = [python, script, str(self.prompts), base_url, str(concurrency), str(work)]
            environ = os.environ | {"OPENAI_API_KEY": "none"} | dict(contender.variables)
            try:
                done = subprocess.run(
                    command,
                    env=environ,
                    cwd=self.folder,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    check=True,
                    timeout=TIMEOUT_SECONDS,
                )
                measured: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
            except (subprocess.SubprocessError, ValueError, IndexError) as error:
                said = str(getattr(error, "stderr", "") or error)[-300:]
                self.missing[contender.name] = f"failed at {concurrency}: {said}"
                return None
        if measured["rows"] < self.requests:
            self.missing[contender.name] = f"{measured['rows']} of {self.requests} rows"
            return None
        return measured


def prompts(count: int) -> list[tuple[str, str]]:
    """Return system message and question of so many slots, as our generation asks them."""
    shipped = shipped_folder(Settings())
    card = next(card for card in load_cards(shipped / "styles") if card.id == STYLE)
    system = Prompts(shipped / "prompts").system(card)
    request = DatasetRequest(per_style=count, multi_turn_ratio=0)
    questions = Questions(load_banks(shipped / "questions"), request.seed)
    slots = plan(request, [StyleVersion(version=1, style=card)])
    texts = [questions.draw(slot, 1).text for slot in slots]
    return [(system, teacher_messages(system, [], text)[-1]["content"]) for text in texts]


def installed(contender: Contender) -> Path:
    """Return the interpreter of a contender's environment, made once."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    cache = Path(os.environ.get("TONESMITH_CACHE") or f"{home}/tonesmith")
    folder = cache / f"bench-{re.sub('[^a-z0-9.]+', '-', contender.package)}"
    python = folder / "bin" / "python"
    if not (folder / ".complete").exists():
        say(f"installing {contender.package}")
        found = subprocess.run(
            [ROOT / "scripts" / "environment.sh", "installer"],
            check=True,
            capture_output=True,
            text=True,
        )
        uv = found.stdout.strip().splitlines()[-1]
        subprocess.run([uv, "venv", "--quiet", "--clear", folder], check=True)
        install = [uv, "pip", "install", "--quiet", "--python", python, *contender.package.split()]
        subprocess.run(install, check=True)
        (folder / ".complete").touch()
    return python


@contextmanager
def mock() -> Iterator[str]:
    """Yield the address of a fresh mock endpoint."""
    command = [sys.executable, str(SCRIPTS / "mock.py")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as server:
        assert server.stdout
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        finally:
            server.kill()


def say(line: str) -> None:
    """Write a line to standard output, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def report(found: Found, missing: dict[str, str], concurrencies: list[int]) -> int:
    """Print the medians and the ratio; return 1 where a contender is missing or there is none."""
    say(f"\n{'':<14} {'at':>4} {'req/s':>7} {'CPU ms/req':>11} {'peak MB':>8}")
    rates: dict[tuple[str, int], float] = {}
    for (name, concurrency), runs in sorted(found.items(), key=lambda entry: entry[0][::-1]):
        rates[name, concurrency] = rate = median(runs, lambda run: run["rows"] / run["seconds"])
        cpu = median(runs, lambda run: run["cpu"] / run["rows"] * 1000)
        peak = median(runs, lambda run: run["peak_mb"])
        say(f"{name:<14} {concurrency:>4} {rate:>7.0f} {cpu:>11.2f} {peak:>8.0f}")
    for name, reason in missing.items():
        say(f"missing: {name}: {reason}")
    ratios = {at: rates[OURS, at] / best for at in concurrencies if (best := best_raw(rates, at))}
    for at, ratio in list(ratios.items())[1:]:
        say(f"to the bare SDK at {at}: {ratio:.2f}")
    if concurrencies[0] not in ratios:
        return 1
    say(f"ratio {ratios[concurrencies[0]]:.2f}")
    return 1 if missing else 0


def median(runs: list[dict[str, float]], figure: Callable[[dict[str, float]], float]) -> float:
    """Return the median of a figure."""
    return statistics.median(figure(run) for run in runs)


def best_raw(rates: dict[tuple[str, int], float], at: int) -> float:
    """Return the better of the bare SDK's ways; 0 where ours or they were not measured."""
    return max((rates.get((name, at), 0.0) for name in RAW), default=0.0) * ((OURS, at) in rates)


if __name__ == "__main__":
    sys.exit(main())
