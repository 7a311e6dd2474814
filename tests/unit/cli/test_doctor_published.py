"""The ports that the containers publish."""

import socket

import psutil
import pytest

from tonesmith.docker.container import Container
from tonesmith.docker.plan import Port
from tonesmith.doctor.published import listener, published
from tonesmith.stack.ports import any_free

ADDRESS = ("127.0.0.1", 7860)
PORT = Port(*ADDRESS, "UI_PORT")


def held(project: str, state: str = "running") -> Container:
    """Return a container that publishes the port."""
    ports = {80: ADDRESS}
    return Container("1", project, "ui", "some/image:1", state, "", ports)


@pytest.mark.parametrize(
    ("containers", "free", "level", "words"),
    [
        ([], True, "ok", "free"),
        ([held("mine")], False, "ok", "mine runs here"),
        ([held("other")], False, "error", "a container of some/image:1"),
        ([held("mine", "exited")], True, "ok", "free"),
        ([], False, "error", "listens there"),
    ],
)
def test_port_is_free_ours_or_taken(
    containers: list[Container], free: bool, level: str, words: str
) -> None:
    """Our own stack is no obstacle to itself; the remedy names the setting."""
    found = published(PORT, "mine", containers, free=lambda _: free)
    assert found.level == level
    assert words in found.detail
    assert found.level == "ok" or "UI_PORT" in found.remedy


def test_program_at_a_port_is_named() -> None:
    """As far as we may know; nobody is somebody else."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert listener(server.getsockname()[1]) == psutil.Process().name()
    assert listener(any_free()) == "another program"
