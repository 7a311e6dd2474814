"""What the embedded stack needs of this machine: Python, folders, room, ports, a browser."""

import shutil
from collections.abc import Callable
from pathlib import Path

from tonesmith.doctor.finding import Finding, gigabytes
from tonesmith.stack.ports import is_free

OLDEST_PYTHON = (3, 11)
# Peak of the demo's processes is below 8 GiB; the system needs some too. Engines take 6 GB of disk.
MEMORY_BYTES = 8 << 30
DISK_BYTES = 4 << 30
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def python_version(version: tuple[int, int, int]) -> Finding:
    """Say whether this Python is new enough."""
    detail = ".".join(map(str, version))
    if version[:2] < OLDEST_PYTHON:
        return Finding(
            name="python", level="error", detail=detail, remedy="install Python 3.11 or later"
        )
    return Finding(name="python", level="ok", detail=detail)


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
