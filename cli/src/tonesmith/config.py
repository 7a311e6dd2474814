"""Where the services and the data are: from the environment and the `.env` file beside us."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from kit.config import Settings

# What the services read too; anything else in `.env` belongs to other programs.
PREFIXES = ("DATAGEN_", "TRAINER_", "SERVING_", "UI_", "TEACHER_", "TONESMITH_")
SHARED = frozenset(
    {
        "data_dir",
        "models_dir",
        "base_model",
        "api_token_file",
        "datagen_url",
        "trainer_url",
        "serving_url",
        "serving_control_url",
        "serving_api_key_file",
        "trainer_engine_python",
        "serving_engine_python",
        "ui_port",
        "prometheus_port",
    }
)


class CliSettings(Settings):
    """Settings of the command line; all of them are shared with the services."""

    prefix: ClassVar[str] = "TONESMITH_"
    shared: ClassVar[frozenset[str]] = SHARED

    # Read by scripts/environment.sh only; named here so that it is no misspelt setting.
    cache: Path | None = None
    # The compose project that `up --docker` starts, and that the other commands find.
    project: str = Field(default="tonesmith", pattern=r"^[a-z0-9][a-z0-9_-]*$")
    data_dir: Path = Path("var/data")
    models_dir: Path = Path("services/trainer/bases")
    base_model: str = "starter"
    api_token_file: Path | None = None
    datagen_url: str = "http://127.0.0.1:8001"
    trainer_url: str = "http://127.0.0.1:8002"
    serving_url: str = "http://127.0.0.1:8000"
    serving_control_url: str = "http://127.0.0.1:8010"
    serving_api_key_file: Path | None = None
    trainer_engine_python: Path | None = None
    serving_engine_python: Path | None = None
    ui_port: int = 7860
    prometheus_port: int = 9090


def environment(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return `environ` over the known variables of the `.env` file in `folder`."""
    return dotenv(folder / ".env") | dict(environ)


def dotenv(path: Path) -> dict[str, str]:
    """Return the known variables of a file of `KEY=VALUE` lines; {} where there is none.

    `#` starts a comment line, a value may stand in quotes, nothing is expanded.
    """
    if not path.is_file():
        return {}
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and known(name := name.strip()):
            found[name] = unquoted(value.strip())
    return found


def known(name: str) -> bool:
    """Return whether a variable is ours."""
    return name == "LOG_LEVEL" or name.lower() in SHARED or name.startswith(PREFIXES)


def unquoted(value: str) -> str:
    """Return `value` without the quotes around it."""
    quoted = len(value) >= 2 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if quoted else value
