"""A container stack of its own: project, volumes, image tag and published port; all removed.

It is built from a copy of the working tree, so that a test may change a source or leave a secret
there. Linux only: the services that are not published are reached at their containers' addresses.
"""

import io
import os
import secrets
import shutil
import socket
import subprocess
import tarfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import docker
import httpx
from docker.errors import NotFound
from docker.models.containers import Container

import compose_file
from client import DatagenClient, LauncherClient, ServiceDownError, ServingClient, TrainerClient
from repository import ROOT, files

Found = TypeVar("Found")
PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
BESIDE = "tonesmith.test"
# A first build installs two engines.
BUILD_SECONDS = 3600
UP_SECONDS = 600
STOP_SECONDS = 300
POLL_SECONDS = 0.25
TAIL = 4000


def copy_working_tree(folder: Path) -> Path:
    """Copy what git tracks, or would, and the wheels of a closed network, into `folder`."""
    for path in files():
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    if (ROOT / "wheelhouse").is_dir():
        shutil.copytree(
            ROOT / "wheelhouse", folder / "wheelhouse", copy_function=link, dirs_exist_ok=True
        )
    return folder


def link(source: str, target: str) -> None:
    """Make `target` the same file as `source`, or a copy where that cannot be."""
    Path(target).unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(
    attempt: Callable[[], Found | None], seconds: float, explain: Callable[[], str] = str
) -> Found:
    """Return the first true answer of `attempt`; a service that is down has none yet."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if found := attempt():
                return found
        except (ServiceDownError, httpx.TransportError):
            pass
        time.sleep(POLL_SECONDS)
    raise AssertionError(f"not within {seconds} s; {explain()}")


class ComposeProject:
    """One stack; `up` it, and `remove` it at the end.

    Args:
        folder: the copy of the working tree that it is built from.
        tag: of its images; its own by default.
    """

    def __init__(self, folder: Path, tag: str | None = None) -> None:
        self.folder = folder
        self.name = f"tonesmith-test-{secrets.token_hex(3)}"
        self.tag = tag or self.name
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings: dict[str, str] = {}
        self.engine = docker.from_env(timeout=UP_SECONDS)

    @property
    def environ(self) -> dict[str, str]:
        """What compose is called with: this machine's environment, and only our settings in it."""
        ours = compose_file.variables() - {"PATH", "HOME"}
        kept = {name: value for name, value in os.environ.items() if keeps(name, ours)}
        # Whoever wants to be watched asks for it: Grafana's image is not to be had everywhere.
        fixed = {"STACK_TAG": self.tag, "UI_PORT": str(self.port), "COMPOSE_PROFILES": "cpu-alone"}
        return kept | fixed | self.settings

    def compose(self, *arguments: str, seconds: float = UP_SECONDS) -> str:
        """Run `docker compose ...` for this project; return what it prints."""
        done = subprocess.run(
            ["docker", "compose", "--project-name", self.name, *arguments],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        said = f"{arguments}: {done.stdout[-TAIL:]}{done.stderr[-TAIL:]}"
        assert done.returncode == 0, f"{said}\n{self.log_tails()}"
        return done.stdout

    def build(self) -> float:
        """Build the images; return the seconds it took."""
        began = time.monotonic()
        self.compose("build", "--quiet", seconds=BUILD_SECONDS)
        return round(time.monotonic() - began, 1)

    def up(self, **settings: str) -> float:
        """Bring every service to healthy with these settings; return the seconds it took."""
        self.settings = settings
        began = time.monotonic()
        wait = ("--wait", "--wait-timeout", str(UP_SECONDS))
        self.compose("up", "--detach", "--no-build", *wait, seconds=2 * UP_SECONDS)
        return round(time.monotonic() - began, 1)

    def image(self, service: str) -> Any:
        """Return the image of a service."""
        return self.engine.images.get(f"tonesmith/{service}:{self.tag}")

    def container(self, service: str) -> Container:
        """Return the container of a service, as it is now."""
        labels = [f"{PROJECT}={self.name}", f"{SERVICE}={service}"]
        (found,) = self.engine.containers.list(all=True, filters={"label": labels})
        return found

    def healthy(self, service: str) -> bool:
        """Return whether Docker says that the service is healthy."""
        return str(self.container(service).health) == "healthy"

    def run(self, service: str, *command: str) -> str:
        """Run a command in a service's container, as its user; return what it prints."""
        code, output = self.container(service).exec_run(list(command))
        assert code == 0, output.decode(errors="replace")[-TAIL:]
        return str(output.decode())

    @cached_property
    def token(self) -> str:
        """The bearer token for everything that changes something."""
        return self.run("ui", "cat", "/run/keys/api_token").strip()

    @cached_property
    def serving_key(self) -> str:
        """The key that serving asks of its clients."""
        return self.run("ui", "cat", "/run/keys/serving_api_key").strip()

    def address(self, service: str, port: int) -> str:
        """Return the URL of a service at its container's present address."""
        networks = self.container(service).attrs["NetworkSettings"]["Networks"]
        return f"http://{networks[f'{self.name}_backend']['IPAddress']}:{port}"

    def datagen(self) -> DatagenClient:
        """Return a client of datagen."""
        url = self.address("datagen", 8001)
        return DatagenClient(url, token=self.token, transport=httpx.HTTPTransport())

    def trainer(self) -> TrainerClient:
        """Return a client of the trainer."""
        url = self.address("trainer", 8002)
        return TrainerClient(url, token=self.token, transport=httpx.HTTPTransport())

    def serving(self) -> ServingClient:
        """Return a client of serving's OpenAI API."""
        url = self.address("serving", 8000)
        return ServingClient(url, token=self.serving_key, transport=httpx.HTTPTransport())

    def launcher(self) -> LauncherClient:
        """Return a client of serving's launcher."""
        return LauncherClient(self.address("serving", 8010), transport=httpx.HTTPTransport())

    def served(self, seconds: float = UP_SECONDS) -> None:
        """Wait until vLLM has loaded its model and answers."""
        until(self.ready, seconds, lambda: f"{self.logs('serving')[-TAIL:]}")

    def ready(self) -> bool:
        """Return whether the launcher says that serving is ready."""
        with self.launcher() as launcher:
            return launcher.status().state == "ready"

    def logs(self, service: str) -> str:
        """Return everything that a service's container has logged."""
        return str(self.container(service).logs().decode(errors="replace"))

    def log_tails(self) -> str:
        """Return the end of each container's log, for a failure."""
        tails = (
            f"--- {one.name} {one.status}\n{one.logs(tail=15).decode(errors='replace')}"
            for one in self.containers()
        )
        return "\n".join(tails)

    def copy_out(self, service: str, path: str, target: Path) -> Path:
        """Copy the files of a folder out of a container into `target`; return its copy."""
        chunks, _ = self.container(service).get_archive(path)
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
            for member in archive:
                if content := archive.extractfile(member):
                    place = target / member.name
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(content.read())
        return target / Path(path).name

    def containers(self) -> list[Container]:
        """Return every container of the project, and those that tests put beside it."""
        labels = (f"{PROJECT}={self.name}", f"{BESIDE}={self.name}")
        found = [self.engine.containers.list(all=True, filters={"label": one}) for one in labels]
        return [container for part in found for container in part]

    def remove(self) -> None:
        """Remove every container, network, volume and image of the project."""
        mine = {"label": f"{PROJECT}={self.name}"}
        for container in self.containers():
            with suppress(NotFound):
                container.remove(force=True, v=True)
        for part in (*self.engine.networks.list(filters=mine), *self.volumes()):
            with suppress(NotFound):
                part.remove()
        for image in self.engine.images.list(filters=mine):
            with suppress(NotFound):
                self.engine.images.remove(image.id, force=True)
        self.engine.close()

    def volumes(self) -> list[Any]:
        """Return every volume of the project."""
        found: list[Any] = self.engine.volumes.list(filters={"label": f"{PROJECT}={self.name}"})
        return found


def keeps(name: str, ours: set[str]) -> bool:
    """Return whether a variable of this machine's may reach compose."""
    # How images are built where packages come from elsewhere is the machine's business.
    building = name.startswith(("STACK_BUILD_", "STACK_PYTHON_"))
    return building or (name not in ours and name != "COMPOSE_PROFILES")
