"""Settings of the page; each is in the table of the service's README."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator

from kit.config import Settings
from ui.access.networks import is_loopback, networks


def as_web_address(text: str) -> str:
    """Return an http(s) address without the slash at its end; nothing stays nothing.

    It becomes a link on the page, so that it is no script, and holds no password for everybody
    to read. Raises ValueError.
    """
    if not text:
        return ""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError("should be an address such as http://127.0.0.1:3000")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("should be an address without a user, a password, a query or a fragment")
    if not text.isprintable() or " " in text:
        raise ValueError("should hold no space")
    return text.rstrip("/")


WebAddress = Annotated[str, AfterValidator(as_web_address)]


def as_networks(text: str) -> str:
    """Return addresses and networks with commas between them, as they were. Raises ValueError."""
    networks(text)
    return text


Proxies = Annotated[str, AfterValidator(as_networks)]


class UiSettings(Settings):
    """What the page listens on, whom it calls, whom it lets in, and how much."""

    prefix: ClassVar[str] = "UI_"
    shared: ClassVar[frozenset[str]] = frozenset(
        {
            "datagen_url",
            "trainer_url",
            "serving_url",
            "serving_control_url",
            "serving_api_key_file",
            "api_token_file",
            "log_level",
        }
    )

    host: str = "127.0.0.1"
    port: int = Field(default=7860, ge=0, le=65_535)
    metrics_host: str = "127.0.0.1"
    metrics_port: int = Field(default=7861, ge=0, le=65_535, validate_default=True)
    language: Literal["auto", "zh", "en"] = "auto"
    root_path: str = ""
    concurrent_chats: int = Field(default=64, ge=1, le=256)
    queue_size: int = Field(default=64, ge=1, le=4096)
    max_tokens: int = Field(default=512, ge=16, le=8192)
    shutdown_seconds: int = Field(default=60, ge=0, le=3600)
    datagen_url: str = "http://127.0.0.1:8001"
    trainer_url: str = "http://127.0.0.1:8002"
    serving_url: str = "http://127.0.0.1:8000"
    serving_control_url: str = "http://127.0.0.1:8010"
    serving_api_key_file: Path | None = None
    api_token_file: Path | None = None
    grafana_url: WebAddress = ""
    grafana_api: WebAddress = ""
    prometheus_url: WebAddress = ""
    prometheus_api: WebAddress = ""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    state_dir: Path = Path("var/state/ui")
    published_on: str = ""
    trusted_proxies: Proxies = ""
    users_file: Path | None = None
    session_key_file: Path | None = None
    session_days: int = Field(default=7, ge=1, le=90)
    auth_header: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")] = (
        "X-Forwarded-User"
    )
    auth: Literal["none", "users", "header"] = Field(default="none", validate_default=True)
    chats_per_minute: int = Field(default=30, ge=1, le=6000)
    upload_mb: int = Field(default=4, ge=1, le=256)
    uploads_per_hour: int = Field(default=60, ge=1, le=6000)

    @property
    def grafana_inner(self) -> str:
        """Where the server itself finds Grafana; by default where the browser does."""
        return self.grafana_api or self.grafana_url

    @property
    def prometheus_inner(self) -> str:
        """Where the server itself finds Prometheus; by default where the browser does."""
        return self.prometheus_api or self.prometheus_url

    @field_validator("auth")
    @classmethod
    def is_safe_where_it_listens(cls, auth: str, info: ValidationInfo) -> str:
        """Return who lets people in. Raises ValueError where that would be everybody, or nobody."""
        told = info.data
        open_to = told.get("published_on") or told.get("host", "")
        if auth == "none" and not is_loopback(str(open_to)):
            raise ValueError(
                f"is none, and {open_to} may be reached from elsewhere; set users or header, or "
                "UI_PUBLISHED_ON=127.0.0.1 where a container is published on loopback only"
            )
        if auth == "users" and told.get("users_file") is None:
            raise ValueError("is users, so UI_USERS_FILE has to name their file")
        if auth == "header" and not told.get("trusted_proxies"):
            raise ValueError("is header, so UI_TRUSTED_PROXIES has to name whose header counts")
        return auth

    @field_validator("metrics_port")
    @classmethod
    def is_not_the_pages_port(cls, port: int, info: ValidationInfo) -> int:
        """Return the port. Raises ValueError where the page itself would be on it."""
        if port and port == info.data.get("port"):
            raise ValueError(f"should differ from UI_PORT ({port}), which is published")
        return port
