"""Run `docker compose` for the project's `compose.yaml`; compose has no library, only a command."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from kit.errors import InvalidInputError
from tonesmith.errors import CommandError

FILE = "compose.yaml"
# What a compose file has that is ours; another project's is left alone.
OURS = frozenset({"datagen", "ui"})
READ_SECONDS = 60
INTERRUPT_SECONDS = 10.0


class ComposeError(CommandError):
    """`docker compose` cannot be run, or failed."""

    code = "docker_compose"


# A stack of that profile which nobody watches: without Prometheus, Alertmanager and Grafana.
ALONE = "-alone"


class Profile(StrEnum):
    """Which variants of trainer and serving run."""

    CPU = "cpu"
    GPU = "gpu"


@dataclass(frozen=True)
class Compose:
    """The stack as compose knows it.

    Args:
        folder: of the compose file; None: only what needs no file works.
        project: name of the compose project.
        environ: the environment of the command, without our reading of `.env`.
        profiles: none: what COMPOSE_PROFILES says, in the environment or in `.env`.
    """

    folder: Path | None
    project: str
    environ: Mapping[str, str]
    profiles: tuple[Profile, ...] = ()

    def command(self, *words: str) -> list[str]:
        """Return a command line of this project."""
        profiles = [word for profile in self.profiles for word in ("--profile", profile)]
        return ["docker", "compose", "--project-name", self.project, *profiles, *words]

    def run(self, *words: str) -> int:
        """Run a command on this terminal and return its exit code. Raises ComposeError."""
        return run_here(self.command(*words), self.folder, self.environ)

    def read(self) -> dict[str, Any]:
        """Return the compose file with its variables filled in. Raises ComposeError."""
        command = self.command("config", "--format", "json")
        try:
            done = subprocess.run(
                command,
                cwd=self.folder,
                env=dict(self.environ),
                capture_output=True,
                text=True,
                timeout=READ_SECONDS,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise missing(error) from error
        if done.returncode:
            raise ComposeError(f"docker compose: {done.stderr.strip() or done.stdout.strip()}")
        found: dict[str, Any] = json.loads(done.stdout)
        if not found["services"].keys() >= OURS:
            raise ComposeError(
                f"{self.folder}/{FILE} is not Tonesmith's", hint="call from Tonesmith's folder"
            )
        return found


def profile_of(environ: Mapping[str, str], chosen: Profile | None = None) -> Profile:
    """Return the profile that will run: the chosen one, or what the environment says.

    Raises InvalidInputError: compose knows no such profile, and would start half a stack.
    """
    if chosen:
        return chosen
    named = environ.get("COMPOSE_PROFILES") or Profile.CPU
    variant = named.removesuffix(ALONE)
    if variant not in tuple(Profile):
        raise InvalidInputError(
            f"there is no profile {named[:40]!r}: trainer and serving would not start",
            field="COMPOSE_PROFILES",
            hint="set it to cpu, or to gpu where there is an NVIDIA card; cpu-alone and gpu-alone "
            "leave out Prometheus and Grafana",
        )
    return Profile(variant)


def find_folder(start: Path) -> Path | None:
    """Return the folder of the compose file: `start`, or the nearest above it; None without."""
    return next((path for path in (start, *start.parents) if (path / FILE).is_file()), None)


def run_here(command: Sequence[str], folder: Path | None, environ: Mapping[str, str]) -> int:
    """Run a program on this terminal and return its exit code.

    A Ctrl-C reaches it as well as us; it gets the time to end in order.
    """
    try:
        process = subprocess.Popen(command, cwd=folder, env=dict(environ))
    except OSError as error:
        raise missing(error) from error
    with process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            with suppress(subprocess.TimeoutExpired):
                process.wait(INTERRUPT_SECONDS)
            process.terminate()
            raise


def missing(error: Exception) -> ComposeError:
    """Return the error for a `docker` that cannot be run."""
    hint = "install the docker command with its compose plugin; see `tonesmith doctor --docker`"
    return ComposeError(f"docker compose cannot be run: {error}", hint=hint)
