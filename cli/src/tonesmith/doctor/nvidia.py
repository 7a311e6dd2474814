"""The NVIDIA card, its driver, and whether containers may use them."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tonesmith.docker.compose import Profile
from tonesmith.doctor.finding import Finding
from tonesmith.doctor.programs import Run

NVIDIA_VENDOR = "0x10de"
DISPLAY_CLASS = "0x03"
QUERY = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
HOOK = "nvidia-container-runtime-hook"
GET_DRIVER = "install NVIDIA's driver (Debian: `sudo apt-get install nvidia-driver`) and restart"
GET_TOOLKIT = (
    "install the NVIDIA Container Toolkit: `sudo apt-get install nvidia-container-toolkit && "
    "sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker`"
)
USE_CPU = "use `--profile cpu`"


@dataclass(frozen=True)
class Hardware:
    """What this machine has: a card, a driver that answers (its own words), the toolkit's hook."""

    card: bool = False
    driver: str = ""
    hook: bool = False


def hardware(run: Run, devices: Path = Path("/sys/bus/pci/devices")) -> Hardware:
    """Return what this machine has."""
    try:
        driver = run(QUERY).strip()
    except (OSError, subprocess.SubprocessError):
        driver = ""
    cards = (path for path in devices.glob("*") if is_card(path))
    return Hardware(any(cards), driver.replace("\n", "; "), shutil.which(HOOK) is not None)


def is_card(device: Path) -> bool:
    """Return whether a PCI device is a card of NVIDIA's."""
    try:
        vendor, kind = ((device / name).read_text().strip() for name in ("vendor", "class"))
    except OSError:
        return False
    return vendor == NVIDIA_VENDOR and kind.startswith(DISPLAY_CLASS)


def nvidia(info: Mapping[str, Any], profile: Profile, found: Hardware) -> Finding:
    """Say whether containers can use a GPU; only the gpu profile needs that.

    Args:
        info: what the engine says of itself.
        profile: that shall run.
        found: what this machine has; nothing where the engine is on another one.
    """
    if way := way_to_gpu(info, found):
        detail = f"{way}; {found.driver or 'driver not seen from here'}"
        return Finding(name="NVIDIA", level="ok", detail=detail)
    if not found.card and not found.driver:
        detail = "no NVIDIA runtime in the Docker Engine, and no NVIDIA card in this machine"
        if profile is Profile.CPU:
            return Finding(name="NVIDIA", level="ok", detail=f"{detail} (the cpu profile is fine)")
        remedy = f"{USE_CPU}; with a card, {GET_TOOLKIT}"
        return Finding(name="NVIDIA", level="error", detail=detail, remedy=remedy)
    level = "error" if profile is Profile.GPU else "warning"
    seen = found.driver or "a card without a driver that answers"
    remedy = GET_TOOLKIT if found.driver else f"{GET_DRIVER}; then {GET_TOOLKIT}"
    detail = f"no NVIDIA runtime in the Docker Engine, although there is {seen}"
    return Finding(name="NVIDIA", level=level, detail=detail, remedy=remedy)


def way_to_gpu(info: Mapping[str, Any], found: Hardware) -> str:
    """Return how the engine gives containers a GPU, or nothing where it cannot."""
    if "nvidia" in (info.get("Runtimes") or {}):
        return "runtime nvidia"
    devices = [str(device.get("ID", "")) for device in info.get("DiscoveredDevices") or []]
    if any(device.startswith("nvidia.com/") for device in devices):
        return "CDI devices"
    return "toolkit's hook" if found.hook else ""
