"""The fake teacher as a container on the way out of a stack: datagen's outside world."""

import io
import tarfile
from pathlib import Path
from typing import Any

import httpx

from fakes.compose_project import BESIDE, PROJECT, SERVICE, ComposeProject, until

PORT = 9000
HERE = Path(__file__).parent
MODULES = ("teacher.py", "teacher_server.py")
START_SECONDS = 60


class TeacherContainer:
    """A teacher that only who is on the network `egress` can reach.

    Args:
        stack: its network, and the image that has what the teacher needs.
    """

    def __init__(self, stack: ComposeProject) -> None:
        self.name = f"{stack.name}-teacher"
        self.network = f"{stack.name}_egress"
        self.url = f"http://{self.name}:{PORT}/v1"
        self.container = stack.engine.containers.create(
            stack.image("datagen").id,
            ["python", "-m", "fakes.teacher_server", "--port", str(PORT)],
            name=self.name,
            # An image that compose built carries its project and service on to containers.
            labels={BESIDE: stack.name, PROJECT: "", SERVICE: ""},
            network=self.network,
            environment={"PYTHONPATH": "/tests"},
            healthcheck={"test": ["NONE"]},
        )
        self.container.put_archive("/", sources())
        self.container.start()
        until(self.received, START_SECONDS, lambda: self.container.logs().decode())

    @property
    def address(self) -> str:
        """Its address on the way out."""
        self.container.reload()
        networks = self.container.attrs["NetworkSettings"]["Networks"]
        return str(networks[self.network]["IPAddress"])

    def received(self) -> dict[str, Any]:
        """Return what it was sent: the seed of each call, and the keys with their counts."""
        found: dict[str, Any] = self.request("GET", "/received").json()
        return found

    def slow_down(self, seconds: float) -> None:
        """Let each answer take so long from now on."""
        self.request("PUT", "/delay", str(seconds))

    def request(self, method: str, path: str, body: str = "") -> httpx.Response:
        """Send a request from this machine."""
        with httpx.Client(transport=httpx.HTTPTransport()) as client:
            url = f"http://{self.address}:{PORT}{path}"
            return client.request(method, url, content=body).raise_for_status()


def sources() -> bytes:
    """Return the fake's modules as an archive for the root of its container."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in MODULES:
            archive.add(HERE / name, f"tests/fakes/{name}")
    return packed.getvalue()
