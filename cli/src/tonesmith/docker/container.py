"""A container, as the engine's list tells it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"
HEALTH = re.compile(r"\((?:health: )?(\w+)\)$")


@dataclass(frozen=True)
class Container:
    """A container of a compose project.

    Args:
        id, project, service, image: as compose has it.
        state: such as `running` or `exited`.
        said: the engine's own words, such as `Up 3 minutes (healthy)`.
        ports: published port by the port inside, with the address on the host.
    """

    id: str
    project: str
    service: str
    image: str
    state: str
    said: str
    ports: dict[int, tuple[str, int]] = field(default_factory=dict)

    @property
    def running(self) -> bool:
        """Whether something can be run inside."""
        return self.state == "running"

    @property
    def health(self) -> str | None:
        """What its health check says, or None where it has none (or does not run)."""
        found = HEALTH.search(self.said)
        return found[1] if found and self.running else None


def container(document: Mapping[str, Any]) -> Container:
    """Return a container from the engine's list."""
    ports = {
        int(port["PrivatePort"]): (str(port.get("IP") or "0.0.0.0"), int(port["PublicPort"]))
        for port in document.get("Ports") or []
        if port.get("PublicPort")
    }
    labels = document.get("Labels") or {}
    return Container(
        id=document["Id"],
        project=labels.get(PROJECT_LABEL, ""),
        service=labels.get(SERVICE_LABEL, ""),
        image=document.get("Image", ""),
        state=document.get("State", ""),
        said=document.get("Status", ""),
        ports=ports,
    )
