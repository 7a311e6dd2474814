"""Settings from the environment, which is an argument: nothing is read at import."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

# Addresses of the services: read by whoever calls them, so they are nobody's own setting.
ENDPOINTS = frozenset({"DATAGEN_URL", "TRAINER_URL", "SERVING_URL", "SERVING_CONTROL_URL"})


class SettingsError(ValueError):
    """The environment cannot be used; the message names the variable."""


class Settings(BaseModel):
    """Frozen settings of one service.

    A field `port` of a class with `prefix = "TRAINER_"` is read from `TRAINER_PORT`; names in
    `shared` are read without the prefix (`DATA_DIR`). A field that ends in `_file` holds a path.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    prefix: ClassVar[str] = ""
    shared: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def variable(cls, field: str) -> str:
        """Return the name of the environment variable of `field`."""
        return field.upper() if field in cls.shared else f"{cls.prefix}{field.upper()}"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings. Raises SettingsError for a bad value or a misspelt variable."""
        known = {cls.variable(field): field for field in cls.model_fields}
        foreign = ENDPOINTS.union(known)
        unknown = [name for name in environ if name.startswith(cls.prefix) and name not in foreign]
        if cls.prefix and unknown:
            raise SettingsError(f"{unknown[0]}: no such setting; known: {', '.join(sorted(known))}")
        values: dict[str, Any] = {
            field: environ[name] for name, field in known.items() if environ.get(name)
        }
        try:
            return cls(**values)
        except ValidationError as error:
            first = error.errors()[0]
            name = cls.variable(str(first["loc"][0])) if first["loc"] else cls.prefix
            raise SettingsError(f"{name}: {first['msg']}") from error


def read_secret(path: Path | None) -> str | None:
    """Return the secret in the file at `path`, stripped, or None where no file is named.

    Raises SettingsError where it cannot be read or is empty: a service must not start open because
    its secret did not arrive.
    """
    if path is None:
        return None
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path}: the file of the secret cannot be read ({error}); a file of yours needs mode "
            "0444 in a folder of mode 0700"
        ) from error
    if not secret:
        raise SettingsError(f"{path}: the file of the secret is empty")
    return secret
