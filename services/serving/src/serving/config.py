"""Settings of serving; README.md explains each."""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from kit.config import Settings


class ServingSettings(Settings):
    """What the environment says about serving."""

    prefix: ClassVar[str] = "SERVING_"
    shared: ClassVar[frozenset[str]] = frozenset(
        {"data_dir", "models_dir", "api_token_file", "log_level"}
    )

    data_dir: Path = Path("var/data")
    models_dir: Path = Path("services/trainer/bases")
    api_token_file: Path | None = None
    log_level: str = "INFO"

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    control_host: str = "127.0.0.1"
    control_port: int = Field(default=8010, ge=0, le=65535)
    state_dir: Path = Path("var/state/serving")
    engine_python: Path = Path("engine/bin/python")
    device: Literal["cpu", "gpu"] = "cpu"
    api_key_file: Path | None = None

    max_lora_rank: int = Field(default=64, ge=1, le=512)
    max_loras: int = Field(default=4, ge=1, le=64)
    max_adapters: int = Field(default=16, ge=1, le=512)
    max_model_len: int = Field(default=2048, ge=64, le=131_072)
    max_tokens: int = Field(default=1024, ge=1, le=32_768)
    max_running: int = Field(default=32, ge=1, le=1024)
    max_waiting: int = Field(default=64, ge=0, le=4096)
    kv_cache_mebibytes: int = Field(default=256, ge=16)
    gpu_memory_ratio: float = Field(default=0.9, gt=0, lt=1)
    threads: int = Field(default=0, ge=0, le=512)

    golden_agreement: float = Field(default=0.5, ge=0, le=1)
    start_seconds: float = Field(default=600, gt=0)
    silence_seconds: float = Field(default=120, gt=0)
    drain_seconds: float = Field(default=0, ge=0, le=600)
    shutdown_seconds: int = Field(default=45, ge=0, le=3600)
