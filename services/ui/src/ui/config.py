"""Settings of the page; each is in the table of the service's README."""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from kit.config import Settings


class UiSettings(Settings):
    """What the page listens on, whom it calls, and how much it lets in."""

    prefix: ClassVar[str] = "UI_"
    shared: ClassVar[frozenset[str]] = frozenset(
        {
            "datagen_url",
            "trainer_url",
            "serving_url",
            "serving_control_url",
            "serving_api_key_file",
            "log_level",
        }
    )

    host: str = "127.0.0.1"
    port: int = Field(default=7860, ge=0, le=65_535)
    language: Literal["auto", "zh", "en"] = "auto"
    root_path: str = ""
    concurrent_chats: int = Field(default=8, ge=1, le=256)
    queue_size: int = Field(default=64, ge=1, le=4096)
    max_tokens: int = Field(default=512, ge=16, le=8192)
    shutdown_seconds: int = Field(default=60, ge=0, le=3600)
    datagen_url: str = "http://127.0.0.1:8001"
    trainer_url: str = "http://127.0.0.1:8002"
    serving_url: str = "http://127.0.0.1:8000"
    serving_control_url: str = "http://127.0.0.1:8010"
    serving_api_key_file: Path | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
