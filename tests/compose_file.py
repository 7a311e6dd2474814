"""`compose.yaml` and `.env` as they are committed: for tests that read them, without Docker.

`SERVICES` is the one table of what runs where; compose and the READMEs are compared with it.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from repository import ROOT

PATH = ROOT / "compose.yaml"
# ${NAME}, ${NAME:-value when empty}, ${NAME-value when unset}, ${NAME:?what is missing}; $$ is a $.
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?:(?P<way>:?[-?+])(?P<value>[^${}]*))?\}")
ASSIGNMENT = re.compile(r"^(?P<name>[A-Z][A-Z0-9_]*)=(?P<value>.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Service:
    """What everybody relies on about one service: who it is and where it answers."""

    name: str
    user: str
    port: int
    grace_seconds: int
    health_port: int

    @property
    def variants(self) -> tuple[str, ...]:
        """Its names in compose: those that run an engine have another for a GPU."""
        engine = self.name in ("trainer", "serving")
        return (self.name, f"{self.name}-gpu") if engine else (self.name,)


SERVICES = (
    Service("datagen", "10001:0", port=8001, grace_seconds=30, health_port=8001),
    Service("trainer", "10001:0", port=8002, grace_seconds=120, health_port=8002),
    Service("serving", "2000:0", port=8000, grace_seconds=75, health_port=8010),
    Service("ui", "10001:0", port=7860, grace_seconds=75, health_port=7860),
)
# What watches them: official images, in the profiles that do not end in `-alone`.
WATCHERS = {"prometheus": 9090, "alertmanager": 9093, "grafana": 3000}
BY_VARIANT = {variant: service for service in SERVICES for variant in service.variants}
# What runs once before them, on the image of whom.
ONE_SHOT = {"init": "datagen", "fetch": "trainer"}


@cache
def text() -> str:
    """Return the file without its comments."""
    lines = PATH.read_text(encoding="utf-8").splitlines()
    return "\n".join(re.sub(r"(^|\s)#.*$", "", line) for line in lines)


@cache
def document() -> dict[str, Any]:
    """Return the file, merge keys resolved, variables at their defaults."""
    loaded: dict[str, Any] = yaml.safe_load(with_defaults(text()))
    return loaded


def containers() -> dict[str, dict[str, Any]]:
    """Return what compose calls services, by name."""
    return dict(document()["services"])


def with_defaults(source: str) -> str:
    """Return `source` with each variable as it is when nobody has set it."""

    def value(match: re.Match[str]) -> str:
        return match["value"] or "" if (match["way"] or "").endswith("-") else ""

    while VARIABLE.search(source):
        source = VARIABLE.sub(value, source)
    return source.replace("$$", "$")


def variables() -> set[str]:
    """Return the name of every variable that the file reads."""
    return set(re.findall(r"(?<!\$)\$\{?(\w+)", text()))


def assigned(name: str) -> dict[str, str]:
    """Return the `KEY=VALUE` lines of the file called `name` in the repository's root."""
    content = (ROOT / name).read_text(encoding="utf-8")
    return {match["name"]: match["value"] for match in ASSIGNMENT.finditer(content)}


def mounts(container: dict[str, Any]) -> dict[str, tuple[str, bool]]:
    """Return a container's mounts: by target, the source and whether it can be written."""
    found = {}
    for entry in container.get("volumes", []):
        if isinstance(entry, str):
            source, target, *flags = entry.split(":")
            found[target] = source, "ro" not in flags
        else:
            found[entry["target"]] = entry.get("source", ""), not entry.get("read_only")
    return found
