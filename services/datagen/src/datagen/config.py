"""Settings of datagen: `DATAGEN_*`, and the names that all services share."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from kit.config import Settings as KitSettings


class Settings(KitSettings):
    """What the operator may set; the README explains each."""

    prefix: ClassVar[str] = "DATAGEN_"
    shared: ClassVar[frozenset[str]] = frozenset(
        {
            "data_dir",
            "api_token_file",
            "log_level",
            "teacher_base_url",
            "teacher_model",
            "teacher_api_key_file",
            "serving_url",
            "serving_api_key_file",
        }
    )

    host: str = "127.0.0.1"
    port: int = Field(default=8001, ge=0, le=65535)
    state_dir: Path = Path("var/state/datagen")
    data_dir: Path = Path("var/data")
    shipped_dir: Path | None = Field(default=None, description="styles/ questions/ prompts/")
    api_token_file: Path | None = None
    log_level: str = "INFO"
    max_body_bytes: int = Field(default=64 << 20, ge=1 << 10)

    # The teacher's address comes from here and from nowhere else: no request can name a URL.
    teacher_base_url: str | None = Field(default=None, pattern=r"^https?://")
    teacher_model: str = "scripted"
    teacher_api_key_file: Path | None = None
    teacher_concurrency: int = Field(default=16, ge=1, le=1024)
    teacher_timeout_seconds: float = Field(default=60, gt=0)
    teacher_patience_seconds: float = Field(default=900, ge=0, description="silence before failing")
    teacher_flaw_rate: float = Field(default=0.06, ge=0, le=1, description="scripted teacher only")

    serving_url: str = "http://127.0.0.1:8000"
    serving_api_key_file: Path | None = None


def shipped_folder(settings: Settings) -> Path:
    """Return the folder with `styles/`, `questions/` and `prompts/`.

    It is the setting, else the copy inside an installed package, else the source tree.
    """
    if settings.shipped_dir:
        return settings.shipped_dir
    package = Path(__file__).resolve().parent
    installed = package / "shipped"
    return installed if installed.is_dir() else package.parents[1]
