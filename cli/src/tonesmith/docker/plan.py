"""What the compose file asks of a machine: images, ports, volumes, shared memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# The build arguments that name an image to start from end in this.
BASE_ARGUMENT = "_IMAGE"


@dataclass(frozen=True)
class Plan:
    """What the services of the chosen profile need.

    Args:
        images: the images that run.
        bases: the images that those are built from.
        ports: published ports, each with the address it is bound to.
        volumes: names of the volumes in the engine, by their name in the file.
        shared_bytes: shared memory of all services together.
    """

    images: tuple[str, ...]
    bases: tuple[str, ...]
    ports: tuple[tuple[str, int], ...]
    volumes: Mapping[str, str]
    shared_bytes: int


def read_plan(document: Mapping[str, Any]) -> Plan:
    """Return the plan of a compose file whose variables are filled in."""
    services = list(document["services"].values())
    arguments = [(service.get("build") or {}).get("args") or {} for service in services]
    return Plan(
        images=unique(service.get("image") for service in services),
        bases=unique(
            value
            for found in arguments
            for name, value in found.items()
            if name.endswith(BASE_ARGUMENT)
        ),
        ports=tuple(
            (port.get("host_ip", "0.0.0.0"), int(port["published"]))
            for service in services
            for port in service.get("ports") or []
            if port.get("published")
        ),
        volumes={
            name: (volume or {}).get("name", name)
            for name, volume in (document.get("volumes") or {}).items()
        },
        shared_bytes=sum(int(service.get("shm_size") or 0) for service in services),
    )


def unique(names: Any) -> tuple[str, ...]:
    """Return each name once, in order, without those that are missing."""
    return tuple(dict.fromkeys(name for name in names if name))
