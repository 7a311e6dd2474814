"""What the compose file asks of a machine: images, ports, volumes, shared memory."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

# The setting of each port that is published, by its number inside the container.
PORT_SETTINGS = {
    7860: "UI_PORT",
    9090: "PROMETHEUS_PORT",
    9093: "ALERTMANAGER_PORT",
    3000: "GRAFANA_PORT",
}
# The build arguments that name an image to start from end in this.
BASE_ARGUMENT = "_IMAGE"


class Port(NamedTuple):
    """A published port: the address it is bound to, its number, and the setting that moves it."""

    host: str
    number: int
    setting: str


@dataclass(frozen=True)
class Plan:
    """What the services of the chosen profile need.

    Args:
        images: the images that run and are built here.
        bases: the images that come from a registry: those that are built from, and what watches.
        ports: published ports.
        volumes: names of the volumes in the engine, by their name in the file.
        shared_bytes: shared memory of all services together.
    """

    images: tuple[str, ...]
    bases: tuple[str, ...]
    ports: tuple[Port, ...]
    volumes: Mapping[str, str]
    shared_bytes: int


def read_plan(document: Mapping[str, Any]) -> Plan:
    """Return the plan of a compose file whose variables are filled in."""
    services = list(document["services"].values())
    built = unique(service.get("image") for service in services if service.get("build"))
    return Plan(
        images=built,
        bases=unique(
            [*built_from(services), *(service.get("image") for service in services)], built
        ),
        ports=tuple(published_ports(services)),
        volumes={
            name: (volume or {}).get("name", name)
            for name, volume in (document.get("volumes") or {}).items()
        },
        shared_bytes=sum(int(service.get("shm_size") or 0) for service in services),
    )


def built_from(services: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the images that ours are built from."""
    for service in services:
        arguments = (service.get("build") or {}).get("args") or {}
        yield from (value for name, value in arguments.items() if name.endswith(BASE_ARGUMENT))


def published_ports(services: Iterable[Mapping[str, Any]]) -> Iterator[Port]:
    """Yield every port that is published."""
    for service in services:
        for port in service.get("ports") or []:
            if port.get("published"):
                setting = PORT_SETTINGS.get(int(port.get("target") or 0), "its port")
                yield Port(port.get("host_ip", "0.0.0.0"), int(port["published"]), setting)


def unique(names: Iterable[Any], but: Collection[str] = ()) -> tuple[str, ...]:
    """Return each name once, in order, without those that are missing and those in `but`."""
    return tuple(dict.fromkeys(name for name in names if name and name not in but))
