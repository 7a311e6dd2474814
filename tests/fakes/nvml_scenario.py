"""What a fake host has of GPUs, and what goes wrong there: the files of `nvml_scenarios/`."""

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

SCENARIOS = Path(__file__).parent / "nvml_scenarios"


class Strict(BaseModel):
    """A part of a scenario."""

    model_config = ConfigDict(extra="forbid")


class Fault(Strict):
    """What happens to one GPU, from its n-th sample on (the first is 0)."""

    gpu: int
    sample: int = 0
    seconds: float = 0  # of a hang
    until_restart: bool = False  # of a loss: whether a new start of the library finds it again


class Xid(Strict):
    """A critical error, told at the n-th sample of the GPU."""

    gpu: int
    xid: int
    sample: int = 0


class Driver(Strict):
    """The driver goes away at the n-th sample of the first GPU, and comes back."""

    sample: int
    failing_starts: int = 1


class Process(Strict):
    """A process on every GPU."""

    pid: int
    used_bytes: int | None


class Scenario(Strict):
    """What the host has, and what goes wrong."""

    gpus: int = 8
    name: str = "NVIDIA H100 80GB HBM3"
    library: bool = True
    memory: float | None = None  # share of each GPU in use; None: one GiB more with each GPU
    gpm: bool = True
    dram_percent: float = 63.0  # .nan is what the driver answers where it counts none
    unsupported: list[str] = []  # functions
    unsupported_fields: list[int] = []
    unknown: list[str] = []  # functions that fail with UNKNOWN
    lost: list[Fault] = []
    hang: list[Fault] = []
    mig: list[int] = []
    xids: list[Xid] = []
    driver: Driver | None = None
    processes: list[Process] = []


def load_scenario(name: str) -> Scenario:
    """Return the scenario in `nvml_scenarios/<name>.yaml`."""
    text = (SCENARIOS / f"{name}.yaml").read_text(encoding="utf-8")
    return Scenario.model_validate(yaml.safe_load(text))
