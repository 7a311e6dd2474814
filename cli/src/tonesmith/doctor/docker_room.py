"""Whether the engine's machine has room for the stack: disk and memory."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tonesmith.docker.compose import Profile
from tonesmith.doctor.finding import Finding, gigabytes

# To build the images: 5.2 GB of images and 10.6 GB of build cache were measured on a CPU
# (docs/log.md); the images of PyTorch and vLLM with CUDA are an estimate.
BUILD_BYTES = {Profile.CPU: 16 << 30, Profile.GPU: 40 << 30}
# To run what is built: datasets, adapters, caches.
RUN_BYTES = 2 << 30
# Both engines at once, and the system.
MEMORY_BYTES = {Profile.CPU: 6 << 30, Profile.GPU: 16 << 30}


def docker_disk(
    info: Mapping[str, Any], profile: Profile, *, built: bool, visible: bool = True
) -> Finding:
    """Say whether there is disk where the engine keeps images and volumes.

    Args:
        info: what the engine says of itself.
        profile: that shall run.
        built: the images are there already.
        visible: the engine is on this machine.
    """
    root = Path(info.get("DockerRootDir") or "/nowhere")
    if not visible or not root.is_dir():
        detail = f"{root} is not visible from here (not looked at)"
        return Finding(name="Docker disk", level="ok", detail=detail)
    free, needed = shutil.disk_usage(root).free, RUN_BYTES if built else BUILD_BYTES[profile]
    detail = f"{gigabytes(free)} free at {root}"
    if free < needed:
        what = "run" if built else "build and run"
        remedy = (
            f"free some (`docker system df`, `docker builder prune`): {gigabytes(needed)} are "
            f"needed to {what} the {profile} profile"
        )
        return Finding(name="Docker disk", level="error", detail=detail, remedy=remedy)
    return Finding(name="Docker disk", level="ok", detail=detail)


def docker_memory(info: Mapping[str, Any], profile: Profile, shared_bytes: int) -> Finding:
    """Say whether the engine's machine has memory for the stack and its shared memory.

    Args:
        info: what the engine says of itself.
        profile: that shall run.
        shared_bytes: what the services may take as /dev/shm (`shm_size`), a part of the memory.
    """
    total, needed = int(info.get("MemTotal") or 0), MEMORY_BYTES[profile]
    detail = f"{gigabytes(total)}, of which shm_size may take {gigabytes(shared_bytes)}"
    if total < max(needed, shared_bytes):
        remedy = (
            f"give Docker more memory (Docker Desktop: Settings, Resources): the {profile} "
            f"profile needs {gigabytes(max(needed, shared_bytes))}"
        )
        return Finding(name="Docker memory", level="warning", detail=detail, remedy=remedy)
    return Finding(name="Docker memory", level="ok", detail=detail)
