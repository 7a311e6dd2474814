"""`tonesmith demo` as a process, watched by the real Prometheus; what both of them showed.

Two more targets stand for what this machine lacks: a host with fake GPUs, and a trainer with a
run on one of them.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import yaml
from gradio_client import Client

from client import DatagenClient
from contracts.dataset import DatasetRequest
from contracts.evaluation import Reply
from dashboard_queries import Query, Series, ask, choices, get, queries
from fakes.gpu_trainer import GpuTrainer, gpu_trainer
from fakes.training import DATASET
from monitoring_tools import asked, tool, wait_for
from repository import ROOT
from tonesmith.stack.ports import any_free

# Without the installation; `make demo` promises 6 minutes on two idle cores.
SECONDS = 1200
END_SECONDS = 90
START_SECONDS = 60  # until it has cleared its folder
# Three scrapes, so that rates have two points.
SETTLE_SECONDS = 50
# Between the moments at which the dashboards are looked at, back to the start.
LOOK_SECONDS = 45
PACKAGES = ("libs/contracts", "libs/kit", "libs/client", "cli")
SERVICES = ("services/datagen", "services/trainer", "services/serving", "services/ui")
PRICES = {
    "TEACHER_INPUT_DOLLARS": "0.4",
    "TEACHER_OUTPUT_DOLLARS": "1.6",
    "DATAGEN_BUDGET_DOLLARS": "1000",
    "TRAINER_GPU_HOUR_DOLLARS": "2",
}
STAYS = "Ctrl-C"
LONG_RUN = {"max_steps": 100_000, "save_steps": 20}


@dataclass(frozen=True)
class Watched:
    """What the Prometheus of a demo saw.

    Args:
        targets: job and health of each target.
        names: of every metric that it has.
        pages: what each target exposed at the end, by its address.
        answers: to each query of each dashboard, at any of the moments looked at.
    """

    targets: Sequence[tuple[str, str]]
    names: frozenset[str]
    pages: Mapping[str, str]
    answers: Mapping[Query, Sequence[Series]]


@dataclass(frozen=True)
class Shown:
    """A finished demo."""

    folder: Path
    output: str
    code: int
    watched: Watched
    report: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        report = json.loads((self.folder / "var/demo/report.json").read_text(encoding="utf-8"))
        object.__setattr__(self, "report", report)

    @property
    def replies(self) -> list[Reply]:
        """Every reply of both contestants."""
        (path,) = self.folder.glob("var/demo/data/evaluations/*/replies.jsonl")
        lines = path.read_text(encoding="utf-8").splitlines()
        return [Reply.model_validate_json(line) for line in lines]

    def mean(self, figure: str) -> float:
        """Return a figure of the styles, weighed by their replies."""
        styles = self.report["styles"]
        replies = sum(style["replies"] for style in styles)
        total: float = sum(style[figure] * style["replies"] for style in styles)
        return total / replies


def show_demo(folder: Path) -> Shown:
    """Run the demo in `folder` to its transcript, chat, look at what was seen, and end it."""
    tool("prometheus")
    (folder / "monitoring").symlink_to(ROOT / "monitoring")
    bases = {"MODELS_DIR": str(ROOT / "services/trainer/bases")}
    process = subprocess.Popen(
        [sys.executable, "-m", "tonesmith", "demo"],
        cwd=folder,
        env=dict(os.environ) | installed() | bases | PRICES,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        began = time.time()
        with beside(folder):
            said = "".join(until_it_stays(process))
            watched = look(addresses(said), began)
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=END_SECONDS)
    finally:
        process.kill()
    return Shown(folder, said + rest, process.returncode, watched)


def installed() -> dict[str, str]:
    """Return where our packages are, unless they are installed as they are for a user."""
    return {} if [*distributions(name="tonesmith")] else {"PYTHONPATH": sources()}


def sources(*more: str) -> str:
    """Return the search path of our packages."""
    parts = (f"{part}/src" for part in (*PACKAGES, *SERVICES))
    return os.pathsep.join(str(ROOT / part) for part in (*more, *parts))


def until_it_stays(process: subprocess.Popen[str]) -> Iterator[str]:
    """Yield what the demo says until it waits for Ctrl-C."""
    assert process.stdout
    began, said = time.monotonic(), []
    for line in process.stdout:
        yield line
        said.append(line)
        if STAYS in line:
            return
        assert time.monotonic() - began < SECONDS, "".join(said)[-5000:]
    raise AssertionError("".join(said)[-5000:])


@contextmanager
def beside(folder: Path) -> Iterator[None]:
    """Run what the machine lacks, and name it as targets once the demo has the folder for them."""
    targets, port = folder / "var/demo/targets", any_free()
    with ExitStack() as stack:
        stack.enter_context(gpu_host(port))
        trainer = stack.enter_context(gpu_trainer(folder / "gpu-trainer", "--scenario", "watched"))
        wait_for((targets / "gpu").is_dir, START_SECONDS, "the demo's folder of targets")
        start_run(trainer)
        for job, place in (("gpu", port), ("trainer", trainer.port)):
            (targets / job).mkdir(exist_ok=True)
            listed = yaml.safe_dump([{"targets": [f"127.0.0.1:{place}"]}])
            (targets / job / "fake.yml").write_text(listed, encoding="utf-8")
        yield


@contextmanager
def gpu_host(port: int) -> Iterator[None]:
    """Run the exporter of a host with fake GPUs."""
    command = ["-m", "fakes.gpu_host", "--scenario", "watched", "--port", str(port)]
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": sources("tests")}
    host = subprocess.Popen([sys.executable, *command], env=environ)
    try:
        yield
    finally:
        host.terminate()
        host.wait(END_SECONDS)


def start_run(trainer: GpuTrainer) -> None:
    """Start a run that goes on for as long as the demo."""
    body = {"dataset_id": DATASET, "overrides": LONG_RUN, "stop_when_flat": False}
    asked(f"{trainer.url}/runs", body)


def addresses(said: str) -> dict[str, str]:
    """Return the addresses that the demo printed, by their names; a remark may follow one."""
    return dict(re.findall(r"^ *(\S.*?) +(http://\S+)", said, re.MULTILINE))


def look(found: Mapping[str, str], began: float) -> Watched:
    """Generate and chat a little, wait for some scrapes, and gather what Prometheus knows."""
    with DatagenClient(found["report"].partition("/evaluations")[0]) as datagen:
        request = DatasetRequest(name="watched", styles=["gentle"], per_style=40)
        datagen.dataset_jobs.wait(datagen.generate(request).id)
    page = Client(found["chat page"], verbose=False)
    for message in ("明天要上台演讲，好紧张", "又失眠了"):
        assert page.predict(message=message, style="tsundere", api_name="/chat")
    time.sleep(SETTLE_SECONDS)
    url = found["Prometheus"]
    targets = get(url, "/api/v1/targets", {"state": "active"})["activeTargets"]
    return Watched(
        targets=[(one["labels"]["job"], one["health"]) for one in targets],
        names=frozenset(get(url, "/api/v1/label/__name__/values", {})),
        pages={one["scrapeUrl"]: page_of(one["scrapeUrl"]) for one in targets},
        answers=answers(url, began),
    )


def page_of(url: str) -> str:
    """Return what a target exposes."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


def answers(url: str, began: float) -> dict[Query, list[Series]]:
    """Return what each query of the dashboards yields at any moment, for any run."""
    now = time.time()
    count = int((now - began) / LOOK_SECONDS) + 1
    moments = [now - LOOK_SECONDS * back for back in range(count)]
    runs = get(url, "/api/v1/label/run_id/values", {"match[]": "train_state"})
    return {query: first_answer(query, url, moments, runs) for query in queries()}


def first_answer(
    query: Query, url: str, moments: Sequence[float], runs: Sequence[str]
) -> list[Series]:
    """Return the first answer that is not empty, the newest moment first."""
    for at in moments:
        chosen = choices(query.dashboard, url, at)
        for run_id in runs if "run_id" in chosen else ("",):
            if found := ask(query, url, at, {**chosen, "run_id": run_id}):
                return found
    return []
