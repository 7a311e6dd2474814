"""Settings of the trainer: `TRAINER_*`, and the names that all services share."""

from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field, model_validator

from contracts.lease import LONGEST_TTL_SECONDS, TTL_SECONDS
from contracts.model import Name
from kit.config import Settings as KitSettings


class Settings(KitSettings):
    """What the operator may set; the README explains each."""

    prefix: ClassVar[str] = "TRAINER_"
    shared: ClassVar[frozenset[str]] = frozenset(
        {
            "data_dir",
            "models_dir",
            "base_model",
            "api_token_file",
            "serving_control_url",
            "log_level",
        }
    )

    host: str = "127.0.0.1"
    port: int = Field(default=8002, ge=0, le=65535)
    state_dir: Path = Path("var/state/trainer")
    data_dir: Path = Path("var/data")
    models_dir: Path = Path("services/trainer/bases")
    bases_dir: Path | None = Field(default=None, description="bases to copy into MODELS_DIR")
    base_model: Name = "starter"
    engine_python: Path = Path("engine/bin/python")
    shipped_dir: Path | None = Field(default=None, description="recipes/ golden/")
    api_token_file: Path | None = None
    serving_control_url: str = "http://127.0.0.1:8010"
    log_level: str = "INFO"
    keep_checkpoints: int = Field(default=2, ge=1, le=100)
    reserve_bytes: int = Field(default=512 << 20, ge=0, description="disk kept free by a run")
    cancel_seconds: float = Field(default=4.0, gt=0, description="to save before the kill")
    reply_tokens: int = Field(
        default=24, ge=1, le=256, description="greedy tokens the gate compares"
    )
    exclusive: bool = Field(default=False, description="take the GPU from serving for each run")
    lease_wait_seconds: float = Field(default=180, ge=0, le=86_400)
    lease_ttl_seconds: float = Field(default=TTL_SECONDS, ge=1, le=LONGEST_TTL_SECONDS)
    nproc: int = Field(default=1, ge=1, le=64, description="processes that train together")
    orphan_seconds: float = Field(default=60, ge=0, le=3600, description="an engine without us")
    vram_low: float = Field(default=0.90, gt=0, lt=1, description="share of a card to be used")
    vram_high: float = Field(default=0.95, gt=0, lt=1, description="share that is never passed")
    gpu_seconds: float = Field(
        default=2.0, ge=0, le=60, allow_inf_nan=False, description="between samples; 0: none"
    )
    gpu_hour_dollars: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, description="price of a GPU hour"
    )
    measure_rows: int = Field(default=32, ge=0, le=10_000, description="replies that are measured")

    @model_validator(mode="after")
    def _band_is_a_band(self) -> Self:
        """Refuse a band of memory that is none."""
        if self.vram_low >= self.vram_high:
            raise ValueError("TRAINER_VRAM_LOW must be below TRAINER_VRAM_HIGH")
        return self

    @property
    def grace_seconds(self) -> float:
        """How long an engine goes on without its service; with a lease of the GPU not at all."""
        return 0.0 if self.exclusive else self.orphan_seconds

    @property
    def band(self) -> tuple[float, float]:
        """Lowest and highest share of a card's memory that a run should use."""
        return self.vram_low, self.vram_high


def shipped_folder(settings: Settings) -> Path:
    """Return the folder with `recipes/` and `golden/`.

    It is the setting, else the copy inside an installed package, else the source tree.
    """
    if settings.shipped_dir:
        return settings.shipped_dir
    package = Path(__file__).resolve().parent
    installed = package / "shipped"
    return installed if installed.is_dir() else package.parents[1]
