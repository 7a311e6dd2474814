"""Ports of the embedded stack: the usual ones, or free ones where those are taken."""

import socket
from collections.abc import Callable, Mapping

LOOPBACK = "127.0.0.1"
# The settings that hold a port, with the port that each service has everywhere.
USUAL = {
    "DATAGEN_PORT": 8001,
    "TRAINER_PORT": 8002,
    "SERVING_PORT": 8000,
    "SERVING_CONTROL_PORT": 8010,
    "UI_PORT": 7860,
    "UI_METRICS_PORT": 7861,
}


def is_free(port: int) -> bool:
    """Return whether a service could listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def any_free() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def wanted(environ: Mapping[str, str]) -> dict[str, int]:
    """Return the port of each setting: the environment's, or the usual one."""
    return {name: int(environ.get(name) or port) for name, port in USUAL.items()}


def choose(
    ports: Mapping[str, int], free: Callable[[int], bool] = is_free
) -> tuple[dict[str, int], list[int]]:
    """Return the ports with each taken one replaced by a free one, and those that were taken."""
    taken = [port for port in ports.values() if not free(port)]
    return {name: any_free() if port in taken else port for name, port in ports.items()}, taken
