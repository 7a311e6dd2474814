"""The ports that the containers publish: free, ours already, or somebody else's."""

from collections.abc import Callable, Iterable

import psutil

from tonesmith.docker.container import Container
from tonesmith.docker.plan import Port
from tonesmith.doctor.finding import Finding
from tonesmith.stack.ports import is_free


def published(
    port: Port,
    project: str,
    containers: Iterable[Container],
    free: Callable[[int], bool] = is_free,
) -> Finding:
    """Say whether the stack can publish a port.

    Args:
        port: it.
        project: whose port it is to be.
        containers: of every project.
        free: whether a program could listen on a port now.
    """
    host, number, setting = port
    name = f"published port {number}"
    holders = [
        found
        for found in containers
        if any(outside == number for _, outside in found.ports.values()) and found.running
    ]
    if any(found.project == project for found in holders):
        return Finding(name=name, level="ok", detail=f"{host}: {project} runs here")
    if not holders and free(number):
        return Finding(name=name, level="ok", detail=f"{host}: free")
    who = f"a container of {holders[0].image}" if holders else listener(number)
    remedy = f"stop it (ours: `tonesmith down`), or set {setting} in `.env` to a free port"
    return Finding(name=name, level="error", detail=f"{who} listens there", remedy=remedy)


def listener(port: int) -> str:
    """Return which program listens on a port, as far as we may know."""
    try:
        for found in psutil.net_connections("tcp"):
            if found.laddr and found.laddr[1] == port and found.status == psutil.CONN_LISTEN:
                return psutil.Process(found.pid).name() if found.pid else "another program"
    except (psutil.Error, OSError):
        pass
    return "another program"
