"""A compose project in a Docker Engine: its containers, and the way to its services."""

from collections.abc import Mapping
from functools import cached_property
from importlib.resources import files

from tonesmith.docker.attached import Attached
from tonesmith.docker.container import Container
from tonesmith.docker.engine import Engine, connect
from tonesmith.docker.failures import EngineError
from tonesmith.docker.forward import LOOPBACK, Forward

# The service that is always there and reaches all others; relays run inside it.
ENTRY = "ui"
# How each is called inside, by the field of the settings that holds its address outside.
INSIDE = {
    "datagen_url": "datagen:8001",
    "trainer_url": "trainer:8002",
    "serving_url": "serving:8000",
    "serving_control_url": "serving:8010",
    "ui_url": "127.0.0.1:7860",
}
EVERYWHERE = frozenset({"0.0.0.0", "::"})
API_TOKEN = "/run/keys/api_token"
SERVING_KEY = "/run/keys/serving_api_key"


class Project:
    """A compose project whose containers are there, running or not; close it.

    Args:
        engine: where they are.
        name: of the project.
        containers: its containers.
    """

    def __init__(self, engine: Engine, name: str, containers: list[Container]) -> None:
        self.engine = engine
        self.name = name
        self.containers = containers
        self._forwards: dict[str, Forward] = {}
        self._secrets: dict[str, str] = {}

    @property
    def entry(self) -> Container | None:
        """The running container through which the services are reached, or None."""
        page = self.container(ENTRY)
        return page if page and page.running else None

    def forward(self, target: str) -> Forward:
        """Return a port of this machine that leads to `target`, which is `host:port` inside."""
        if target not in self._forwards:
            self._forwards[target] = Forward(target, self._dial)
        return self._forwards[target]

    def secret(self, path: str) -> str:
        """Return a key of the project. Raises EngineError."""
        if path not in self._secrets:
            found = self.engine.output(self._entry_id, ["cat", path]).strip()
            if not found:
                raise EngineError(f"{path} is empty in project {self.name}")
            self._secrets[path] = found
        return self._secrets[path]

    def container(self, service: str) -> Container | None:
        """Return the container of a service; its GPU variant counts, running ones first."""
        names = (service, f"{service}-gpu")
        found = [container for container in self.containers if container.service in names]
        return max(found, key=lambda container: container.running, default=None)

    def published(self, service: str) -> str | None:
        """Return the address at which this machine reaches a service without a relay, or None."""
        container = self.container(service)
        if not self.engine.local or container is None:
            return None
        for host, port in container.ports.values():
            return f"http://{LOOPBACK if host in EVERYWHERE else host}:{port}"
        return None

    def close(self) -> None:
        """End the relays, and the connection to the engine."""
        for forward in self._forwards.values():
            forward.close()
        self.engine.close()

    def _dial(self) -> Attached:
        return self.engine.attach(self._entry_id, self._relay)

    @property
    def _entry_id(self) -> str:
        if self.entry is None:
            raise EngineError(f"no container {ENTRY!r} of project {self.name} runs")
        return self.entry.id

    @cached_property
    def _relay(self) -> list[str]:
        """The command that runs the far end; without site packages it starts in no time."""
        program = files("tonesmith.docker").joinpath("relay.py").read_text(encoding="utf-8")
        return ["python3", "-I", "-S", "-c", program]


def find_project(environ: Mapping[str, str], name: str) -> Project | None:
    """Return the compose project of that name; None where there is none, or no engine."""
    try:
        engine = connect(environ)
    except EngineError:
        return None
    try:
        containers = engine.containers(name)
    except EngineError:
        containers = []
    if not containers:
        engine.close()
        return None
    return Project(engine, name, containers)
