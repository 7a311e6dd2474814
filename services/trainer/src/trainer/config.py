"""Settings of the trainer: `TRAINER_*`, and the names that all services share."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field

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


def shipped_folder(settings: Settings) -> Path:
    """Return the folder with `recipes/` and `golden/`.

    It is the setting, else the copy inside an installed package, else the source tree.
    """
    if settings.shipped_dir:
        return settings.shipped_dir
    package = Path(__file__).resolve().parent
    installed = package / "shipped"
    return installed if installed.is_dir() else package.parents[1]
