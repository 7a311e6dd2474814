"""The two pydantic bases that all contracts derive from, and the names that they may carry."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

SCHEMA_VERSION = 1
NAME_PATTERN = r"^[a-z0-9][a-z0-9._-]{0,63}$"
# Device names that Windows reserves; a volume may be a network share that such a machine mounts.
RESERVED_NAMES = frozenset(
    {"con", "nul", "prn", "aux", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
)


def check_name(value: str) -> str:
    """Return `value` if it is safe as a folder name and a URL segment, else raise ValueError."""
    stem = value.split(".", 1)[0]
    if not re.fullmatch(NAME_PATTERN, value) or ".." in value or stem in RESERVED_NAMES:
        raise ValueError(
            f"must match {NAME_PATTERN}, without '..' (lower-case letters, digits, '.', '_', '-')"
        )
    return value


Name = Annotated[
    str,
    Field(max_length=64, json_schema_extra={"pattern": NAME_PATTERN}),
    AfterValidator(check_name),
]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Authored(BaseModel):
    """A document that a person writes: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Recorded(BaseModel):
    """A document that a program writes and another reads: unknown keys are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Versioned(Recorded):
    """A recorded document with a schema version; a version newer than ours is refused."""

    schema_version: int = Field(default=SCHEMA_VERSION, ge=1, le=SCHEMA_VERSION)

    @model_validator(mode="before")
    @classmethod
    def refuse_newer_version(cls, data: Any) -> Any:
        """Raise ValueError where the document was written by a newer major version."""
        found = data.get("schema_version", SCHEMA_VERSION) if isinstance(data, dict) else 0
        if isinstance(found, int) and found > SCHEMA_VERSION:
            raise ValueError(
                f"schema_version {found} is newer than {SCHEMA_VERSION}: upgrade Tonesmith"
            )
        return data
