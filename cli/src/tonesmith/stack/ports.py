"""Ports of the embedded stack: the usual ones, or free ones where those are taken."""

import socket
from collections.abc import Callable, Mapping

from kit.config import SettingsError

LOOPBACK = "127.0.0.1"
LARGEST = 65535
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
    """Return the port of each setting: the environment's, or the usual one.

    Raises:
        SettingsError: one of them is no port; the message names it.
    """
    return {name: port_of(environ, name, port) for name, port in USUAL.items()}


def port_of(environ: Mapping[str, str], name: str, usual: int = 0) -> int:
    """Return the port that a setting holds, or the usual one where it is not set.

    Raises:
        SettingsError: it is no port.
    """
    told = environ.get(name)
    if not told:
        return usual
    if not (told.isascii() and told.isdigit() and 0 < int(told) <= LARGEST):
        raise SettingsError(f"{name}: {told[:40]!r} is no port: a number from 1 to {LARGEST}")
    return int(told)


def choose(
    ports: Mapping[str, int], free: Callable[[int], bool] = is_free
) -> tuple[dict[str, int], list[int]]:
    """Return the ports with each taken one replaced by a free one, and those that were taken."""
    taken = [port for port in ports.values() if not free(port)]
    return {name: any_free() if port in taken else port for name, port in ports.items()}, taken
