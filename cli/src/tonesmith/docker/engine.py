"""The Docker Engine, through the docker SDK; only this and `failures` import it.

The SDK takes an eighth of a second to import, so it is imported when an engine is asked for.
"""

import socket
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Self

from tonesmith.docker.attached import PIECE, Attached
from tonesmith.docker.container import PROJECT_LABEL, Container, container
from tonesmith.docker.failures import EngineError, ssh_remedy, translated

DEFAULT_HOST = "unix:///var/run/docker.sock"
# To find out that nobody is there; afterwards an answer may take longer.
CONNECT_SECONDS = 5
ANSWER_SECONDS = 60
# A registry that is reached at all answers fast; asking must not hold up the rest.
REGISTRY_SECONDS = 10
OWN_LABEL = {"tonesmith": "doctor"}
NO_COPY = {"NoCopy": True}
AFTER_A_LINE = 'read -r _ && exec "$@"'


class Engine:
    """A Docker Engine that answers; close it, or use it in `with`.

    Args:
        api: the SDK's client.
        host: its address.
    """

    def __init__(self, api: Any, host: str) -> None:
        self._api = api
        self.host = host

    @property
    def local(self) -> bool:
        """Whether it is reached on this machine (it may still live in a virtual machine)."""
        return self.host.startswith(("unix://", "http+unix://", "npipe://"))

    def version(self) -> dict[str, Any]:
        """Return its versions."""
        with translated(self.host):
            return dict(self._api.version())

    def info(self) -> dict[str, Any]:
        """Return what it says of itself and its host."""
        with translated(self.host):
            return dict(self._api.info())

    def containers(self, project: str | None = None) -> list[Container]:
        """Return the containers of a compose project, also those that do not run; None: of all."""
        labels = [f"{PROJECT_LABEL}={project}", "com.docker.compose.oneoff=False"]
        with translated(self.host):
            found = self._api.containers(all=True, filters={"label": labels} if project else {})
        return [container(document) for document in found]

    def volumes(self, project: str | None = None) -> list[str]:
        """Return the names of a compose project's volumes; None: of all."""
        filters = {"label": f"{PROJECT_LABEL}={project}"} if project else {}
        with translated(self.host):
            found = self._api.volumes(filters=filters)
        return sorted(volume["Name"] for volume in found["Volumes"] or [])

    def has_image(self, name: str) -> bool:
        """Return whether an image is here."""
        from docker.errors import ImageNotFound  # type: ignore[import-untyped]

        with translated(self.host):
            try:
                self._api.inspect_image(name)
            except ImageNotFound:
                return False
        return True

    def offered(self, image: str) -> bool:
        """Return whether the registry of an image gives it to the engine; asks over the network."""
        before, self._api.timeout = self._api.timeout, REGISTRY_SECONDS
        try:
            with translated(self.host):
                self._api.inspect_distribution(image)
        except EngineError:
            return False
        finally:
            self._api.timeout = before
        return True

    def attach(self, container_id: str, command: Sequence[str]) -> Attached:
        """Run a program in a container and return its standard streams. Raises EngineError.

        The program must wait for its first input: what it says before may be lost in the SDK,
        which reads the engine's answer through a buffer of its own.
        """
        return self._attach(container_id, command)[1]

    def output(self, container_id: str, command: Sequence[str]) -> str:
        """Return what a program in a container prints. Raises EngineError where it fails."""
        found, attached = self._attach(container_id, ["sh", "-c", AFTER_A_LINE, "sh", *command])
        with translated(self.host), attached:
            attached.send(b"\n")
            content = b"".join(iter(partial(attached.read, PIECE), b""))
            code = self._api.exec_inspect(found)["ExitCode"]
        if code:
            raise EngineError(f"{command[0]} failed in the container: {attached.said.strip()}")
        return content.decode(errors="replace")

    def _attach(self, container_id: str, command: Sequence[str]) -> tuple[str, Attached]:
        with translated(self.host):
            found = self._api.exec_create(container_id, list(command), stdin=True)["Id"]
            return found, Attached(self._api.exec_start(found, socket=True))

    def run(self, image: str, command: Sequence[str], *, user: str, volumes: list[str]) -> str:
        """Return what a program prints in a throw-away container that can do nothing but this.

        Args:
            image: must be here already.
            user: `uid:gid`.
            volumes: each is mounted at `/v/<name>`; nothing is copied into an empty one.
        """
        mounts = [
            {"Type": "volume", "Source": name, "Target": f"/v/{name}", "VolumeOptions": NO_COPY}
            for name in volumes
        ]
        with translated(self.host):
            host = self._api.create_host_config(
                network_mode="none", cap_drop=["ALL"], read_only=True, mounts=mounts
            )
            made = self._api.create_container(
                image,
                command=[],
                entrypoint=list(command),
                user=user,
                host_config=host,
                labels=OWN_LABEL,
                healthcheck={"Test": ["NONE"]},
            )["Id"]
            try:
                self._api.start(made)
                self._api.wait(made, timeout=ANSWER_SECONDS)
                return str(self._api.logs(made).decode(errors="replace"))
            finally:
                self._api.remove_container(made, force=True)

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def connect(environ: Mapping[str, str]) -> Engine:
    """Return the engine that the `docker` command would talk to.

    Args:
        environ: DOCKER_HOST wins, then DOCKER_CONTEXT, then the current context.

    Raises:
        EngineError: none answers; says why, and what to do.
    """
    from docker import APIClient  # type: ignore[import-untyped]
    from docker.context import ContextAPI  # type: ignore[import-untyped]
    from docker.utils import kwargs_from_env  # type: ignore[import-untyped]

    if environ.get("DOCKER_HOST"):
        options = kwargs_from_env(environment=dict(environ))
    else:
        options = ContextAPI.kwargs_from_context(environment=environ)
    host = str(options.get("base_url") or DEFAULT_HOST)
    if host.startswith("ssh://"):
        raise EngineError(f"{host}: the docker SDK is here without ssh", hint=ssh_remedy(host))
    with translated(host):
        knock(host)
        api = APIClient(version="auto", timeout=CONNECT_SECONDS, **options)
    api.timeout = ANSWER_SECONDS
    return Engine(api, host)


def knock(host: str) -> None:
    """Raise OSError where nobody listens at a unix socket; the SDK would leave its own open."""
    scheme, _, path = host.partition("unix://")
    if path and scheme in ("", "http+"):
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(CONNECT_SECONDS)
            probe.connect(path)
