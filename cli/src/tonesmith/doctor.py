"""Findings about this machine: what is there, what is missing, and what to do about it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import psutil
from pydantic import BaseModel

from tonesmith.config import CliSettings
from tonesmith.stack.ports import is_free, wanted

Level = Literal["ok", "warning", "error"]
Run = Callable[[list[str]], str]
OLDEST_PYTHON = (3, 11)
# Peak of the demo's processes is below 8 GiB; the system needs some too. Engines take 6 GB of disk.
MEMORY_BYTES = 8 << 30
DISK_BYTES = 4 << 30
# Finding an engine's versions reads metadata only; a cold disk still takes a while.
ENGINE_SECONDS = 60
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# Reading metadata takes a second; importing torch would take ten. The distribution differs
# between CPU and GPU, the import name does not.
PROBE = """
import importlib.metadata as m, importlib.util as u, json, sys
found = {}
for module in sys.argv[1:]:
    if u.find_spec(module) is None:
        continue
    names = m.packages_distributions().get(module, [module])
    found[module] = m.version(names[0])
print(json.dumps(found))
"""


class Finding(BaseModel):
    """One thing that was looked at; `remedy` says what to do where it is not ok."""

    name: str
    level: Level
    detail: str
    remedy: str = ""


def run_program(command: list[str]) -> str:
    """Return what a program prints. Raises OSError, subprocess.SubprocessError."""
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=ENGINE_SECONDS
    )
    return done.stdout


def examine(
    settings: CliSettings, environ: Mapping[str, str], run: Run = run_program
) -> list[Finding]:
    """Return what was found about this machine, in the order of the installation.

    Args:
        settings: folders and engines.
        environ: ports.
        run: runs a program and returns what it prints.
    """
    return [
        python_version(sys.version_info[:3]),
        engine("LLaMA-Factory", settings.trainer_engine_python, ("llamafactory", "torch"), run),
        engine("vLLM", settings.serving_engine_python, ("vllm", "torch"), run),
        base_model(settings.models_dir / settings.base_model),
        data_folder(settings.data_dir),
        disk(settings.data_dir),
        memory(psutil.virtual_memory().available),
        *(port(name, number) for name, number in wanted(environ).items()),
        chromium(),
    ]


def python_version(version: tuple[int, int, int]) -> Finding:
    """Say whether this Python is new enough."""
    detail = ".".join(map(str, version))
    if version[:2] < OLDEST_PYTHON:
        return Finding(
            name="python", level="error", detail=detail, remedy="install Python 3.11 or later"
        )
    return Finding(name="python", level="ok", detail=detail)


def engine(name: str, python: Path | None, modules: tuple[str, ...], run: Run) -> Finding:
    """Say whether an engine's environment is there and has its modules."""
    remedy = (
        "install it: `make engines`; then call through make, or set TRAINER_ENGINE_PYTHON and "
        "SERVING_ENGINE_PYTHON to what `scripts/environment.sh path trainer` (serving) prints"
    )
    if python is None or not python.is_file():
        detail = f"no interpreter at {python}" if python else "its variable is not set"
        return Finding(name=name, level="error", detail=detail, remedy=remedy)
    try:
        versions: dict[str, str] = json.loads(run([str(python), "-c", PROBE, *modules]))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return Finding(name=name, level="error", detail=f"{python}: {error}"[:300], remedy=remedy)
    detail = ", ".join(f"{module} {version}" for module, version in versions.items())
    if missing := [module for module in modules if module not in versions]:
        detail = f"without {', '.join(missing)}" + (f" ({detail})" if detail else "")
        return Finding(name=name, level="error", detail=detail, remedy=remedy)
    return Finding(name=name, level="ok", detail=detail)


def base_model(folder: Path) -> Finding:
    """Say whether the base model is complete enough to start."""
    needed = ("config.json", "model.safetensors", "tokenizer.json")
    missing = [name for name in needed if not (folder / name).is_file()]
    if missing:
        return Finding(
            name="base model",
            level="error",
            detail=f"{folder}: without {', '.join(missing)}",
            remedy="set MODELS_DIR and BASE_MODEL; build the starter: `make starter`",
        )
    return Finding(name="base model", level="ok", detail=str(folder))


def data_folder(folder: Path) -> Finding:
    """Say whether the data folder can be written, by writing into it (or into its parent)."""
    there = nearest_existing(folder)
    probe = there / ".tonesmith-doctor"
    try:
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        return Finding(
            name="data folder",
            level="error",
            detail=f"{there}: {error.strerror}",
            remedy="set DATA_DIR to a folder that you may write",
        )
    return Finding(name="data folder", level="ok", detail=str(folder))


def disk(folder: Path) -> Finding:
    """Say whether the volume has room for a demo."""
    free = shutil.disk_usage(nearest_existing(folder)).free
    detail = f"{gigabytes(free)} free at {folder}"
    if free < DISK_BYTES:
        remedy = f"free some: {gigabytes(DISK_BYTES)} are needed"
        return Finding(name="disk", level="error", detail=detail, remedy=remedy)
    return Finding(name="disk", level="ok", detail=detail)


def memory(available: int) -> Finding:
    """Say whether there is memory for both engines at once."""
    detail = f"{gigabytes(available)} available"
    if available < MEMORY_BYTES:
        remedy = f"close programs: the demo may take {gigabytes(MEMORY_BYTES)}"
        return Finding(name="memory", level="warning", detail=detail, remedy=remedy)
    return Finding(name="memory", level="ok", detail=detail)


def port(name: str, number: int, free: Callable[[int], bool] = is_free) -> Finding:
    """Say whether a service could listen on its port."""
    label = f"port {number}"
    if not free(number):
        remedy = f"stop what uses it (`tonesmith down`?), or set {name}"
        return Finding(name=label, level="warning", detail=f"{name}: in use", remedy=remedy)
    return Finding(name=label, level="ok", detail=f"{name}: free")


def chromium() -> Finding:
    """Say whether there is a browser for the browser tests."""
    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if path is None:
        remedy = "only for `make browser`: scripts/chromium.sh"
        return Finding(name="chromium", level="ok", detail="not there (optional)", remedy=remedy)
    return Finding(name="chromium", level="ok", detail=path)


def nearest_existing(folder: Path) -> Path:
    """Return `folder`, or the nearest folder above it that exists."""
    folder = folder.absolute()
    return next(path for path in (folder, *folder.parents) if path.is_dir())


def gigabytes(count: int) -> str:
    """Return a number of bytes for people."""
    return f"{count / (1 << 30):.1f} GiB"
