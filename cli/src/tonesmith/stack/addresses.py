"""Where the services of the embedded stack answer: by the ports that are set, or as recorded."""

import json
from collections.abc import Mapping

from tonesmith.stack.ports import LOOPBACK, USUAL, port_of
from tonesmith.stack.programs import Places
from tonesmith.stack.supervisor import Supervisor

# Which setting holds the port of each address of the command line.
PORTS = {
    "datagen_url": "DATAGEN_PORT",
    "trainer_url": "TRAINER_PORT",
    "serving_url": "SERVING_PORT",
    "serving_control_url": "SERVING_CONTROL_PORT",
    "ui_url": "UI_PORT",
}


def local_addresses(environ: Mapping[str, str], places: Places) -> dict[str, str]:
    """Return where each service is looked for on this machine.

    A port that is set comes first, then what the stack that runs here recorded, then the usual one.

    Raises:
        SettingsError: a port is none.
    """
    found = addresses(USUAL) | recorded(places)
    chosen = {name: setting for name, setting in PORTS.items() if environ.get(setting)}
    return found | {name: at(port_of(environ, setting)) for name, setting in chosen.items()}


def record(places: Places, ports: Mapping[str, int]) -> None:
    """Write down where the stack that is about to start will answer."""
    places.embedded.mkdir(parents=True, exist_ok=True)
    places.addresses.write_text(json.dumps(addresses(ports), indent=1), encoding="utf-8")


def recorded(places: Places) -> dict[str, str]:
    """Return the addresses of the stack that runs here; {} where none runs."""
    try:
        told = json.loads(places.addresses.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    # The file outlives its stack, and its ports may be somebody else's by now.
    return {name: str(told[name]) for name in PORTS} if Supervisor(places.socket).running else {}


def addresses(ports: Mapping[str, int]) -> dict[str, str]:
    """Return the address of each service by its port."""
    return {name: at(ports[setting]) for name, setting in PORTS.items()}


def at(port: int) -> str:
    """Return the address of a port of this machine."""
    return f"http://{LOOPBACK}:{port}"
