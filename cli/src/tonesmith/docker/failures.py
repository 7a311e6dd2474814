"""What the docker SDK raises, said once in our words, with the way out."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from tonesmith.errors import CommandError


class EngineError(CommandError):
    """The Docker Engine cannot be reached, or refuses."""

    code = "docker_engine"


@contextmanager
def translated(host: str) -> Iterator[None]:
    """Turn what the SDK raises into EngineError with a way out."""
    from docker.errors import APIError, DockerException  # type: ignore[import-untyped]

    try:
        yield
    except APIError as error:
        raise EngineError(f"Docker Engine: {error.explanation or error}") from error
    except (DockerException, OSError) as error:  # what `requests` raises is an OSError
        cause = root_cause(error)
        raise EngineError(f"no Docker Engine at {host}: {cause}", hint=remedy(cause)) from error


def root_cause(error: BaseException) -> BaseException:
    """Return what the SDK wrapped, and wrapped again."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error


def remedy(cause: BaseException) -> str:
    """Return what to do where an engine cannot be reached."""
    if isinstance(cause, PermissionError):
        return "join the group: `sudo usermod -aG docker $USER`, then log in again"
    if not shutil.which("docker"):
        return (
            "install Docker Engine 20.10 or later (Debian: `scripts/docker-engine.sh`) or Docker "
            "Desktop, or set DOCKER_HOST"
        )
    return "start it (`sudo systemctl start docker`, or Docker Desktop), or set DOCKER_HOST"


def ssh_remedy(host: str) -> str:
    """Return what to do where the engine is behind ssh."""
    login = host.removeprefix("ssh://")
    return (
        f"forward its socket: `ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock {login}`, then "
        "set DOCKER_HOST=unix:///tmp/docker.sock"
    )
