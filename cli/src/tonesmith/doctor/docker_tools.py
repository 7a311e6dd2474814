"""The Docker Engine itself, and the plugins of the `docker` command."""

import re
import subprocess
from collections.abc import Mapping
from typing import Any

from tonesmith.docker.failures import EngineError
from tonesmith.doctor.finding import Finding
from tonesmith.doctor.programs import Run

OLDEST_API = (1, 41)  # Docker Engine 20.10
OLDEST_COMPOSE = (2, 20)
GET_PLUGIN = (
    "install the plugin: `sudo apt-get install {}` (Docker's packages: docker-{}-plugin), or "
    "Docker Desktop"
)


def engine_found(version: Mapping[str, Any]) -> Finding:
    """Say whether the engine is new enough."""
    detail = f"{version['Version']}, API {version['ApiVersion']}"
    if numbers(version["ApiVersion"]) < OLDEST_API:
        remedy = "install Docker Engine 20.10 or later"
        return Finding(name="Docker Engine", level="error", detail=detail, remedy=remedy)
    return Finding(name="Docker Engine", level="ok", detail=detail)


def engine_missing(error: EngineError) -> Finding:
    """Say why no engine answers, and what to do."""
    return Finding(
        name="Docker Engine",
        level="error",
        detail=error.body.message,
        remedy=error.body.hint or "start it, or set DOCKER_HOST",
    )


def compose_plugin(run: Run) -> Finding:
    """Say whether `docker compose` is there and new enough."""
    remedy = GET_PLUGIN.format("docker-compose-v2", "compose")
    try:
        version = run(["docker", "compose", "version", "--short"]).strip()
    except (OSError, subprocess.SubprocessError) as error:
        detail = f"`docker compose` cannot be run: {error}"[:200]
        return Finding(name="compose", level="error", detail=detail, remedy=remedy)
    if numbers(version) < OLDEST_COMPOSE:
        detail = f"{version} is too old: 2.20 or later is needed"
        return Finding(name="compose", level="error", detail=detail, remedy=remedy)
    return Finding(name="compose", level="ok", detail=version)


def buildx_plugin(run: Run) -> Finding:
    """Say whether images can be built: the Dockerfiles need BuildKit."""
    try:
        words = run(["docker", "buildx", "version"]).split()
    except (OSError, subprocess.SubprocessError) as error:
        detail = f"`docker buildx` cannot be run: {error}"[:200]
        remedy = GET_PLUGIN.format("docker-buildx", "buildx") + "; only builds need it"
        return Finding(name="buildx", level="warning", detail=detail, remedy=remedy)
    return Finding(name="buildx", level="ok", detail=words[1] if len(words) > 1 else "there")


def numbers(version: str) -> tuple[int, ...]:
    """Return the first two numbers of a version."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])
