"""The services of the stack: how to tell that each is ready."""

from collections.abc import Callable, Mapping

from client.service import Service
from tonesmith.stack.ports import LOOPBACK

# What answers without an error once a service can do its work. serving's launcher is healthy
# before there is a model; whether vLLM is ready is another question.
READY_PATHS = {
    "trainer": ("TRAINER_PORT", "/ready"),
    "datagen": ("DATAGEN_PORT", "/ready"),
    "serving": ("SERVING_CONTROL_PORT", "/health"),
    "ui": ("UI_PORT", "/health"),
}


def addresses(ports: Mapping[str, int]) -> dict[str, str]:
    """Return the address of each service, and of the chat API, for people."""
    found = {name: f"http://{LOOPBACK}:{ports[port]}" for name, (port, _) in READY_PATHS.items()}
    return found | {"serving": f"http://{LOOPBACK}:{ports['SERVING_PORT']}/v1"}


def probes(ports: Mapping[str, int]) -> dict[str, Callable[[], bool]]:
    """Return for each service a function that says whether it is ready."""
    return {
        name: probe(f"http://{LOOPBACK}:{ports[port]}", path)
        for name, (port, path) in READY_PATHS.items()
    }


def probe(url: str, path: str) -> Callable[[], bool]:
    """Return a function that says whether `url` answers at `path`."""

    def ready() -> bool:
        with Service(url) as service:
            return service.alive(path)

    return ready
