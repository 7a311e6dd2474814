"""The relay from end to end: a port of this machine, an engine, a program inside, a service.

The fake engine runs the same assertions as a real one (marked `container`).
"""

import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from fakes.docker_engine import docker_engine
from repository import ROOT
from tonesmith.docker.engine import connect
from tonesmith.docker.forward import Forward
from tonesmith.docker.project import Project, find_project
from tonesmith.stack.ports import any_free

SERVER = ROOT / "tests/fakes/talkative.py"
IMAGE = "python:3.11-slim-bookworm"
INSIDE_PORT = 9000
OWN_PROCESSES = 2  # of the container: its init and the service
SECONDS = 60.0
AT_ONCE = 12


@dataclass
class Stage:
    """A project with a talkative service, and how many relays run inside."""

    project: Project
    target: str
    relays: Callable[[], int]

    def forward(self) -> Forward:
        """Return the port that leads to the service."""
        return self.project.forward(self.target)

    def client(self, words: bytes) -> socket.socket:
        """Return a connection to the service that has said its first line."""
        return client(self.forward(), words)


def client(forward: Forward, words: bytes) -> socket.socket:
    """Return a connection that has said its first line."""
    port = urlsplit(forward.url).port
    assert port
    connection = socket.create_connection(("127.0.0.1", port), SECONDS)
    connection.sendall(words)
    return connection


def whole(connection: socket.socket) -> bytes:
    """Return everything until the other side says no more."""
    pieces = []
    while piece := connection.recv(1 << 16):
        pieces.append(piece)
    return b"".join(pieces)


def wait(reached: Callable[[], object], what: str) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + SECONDS
    while not reached():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@contextmanager
def faked(folder: Path) -> Iterator[Stage]:
    """A fake engine; the service runs as a process of this machine."""
    port = any_free()
    server = subprocess.Popen([sys.executable, str(SERVER), str(port)])
    try:
        with docker_engine(folder) as engine:
            engine.add("trial", "ui")
            engine.names["service:9"] = ("127.0.0.1", port)
            project = find_project({"DOCKER_HOST": engine.host}, "trial")
            assert project
            with closing(project):
                wait(lambda: listening(port), "the service listens")
                yield Stage(
                    project,
                    "service:9",
                    lambda: sum(process.poll() is None for process in engine.processes),
                )
    finally:
        server.terminate()
        server.wait()


@contextmanager
def real(_: Path) -> Iterator[Stage]:
    """A real engine; the service runs in the container that stands for the ui."""
    name = f"trial-{uuid.uuid4().hex[:8]}"
    labels = {
        "com.docker.compose.project": name,
        "com.docker.compose.service": "ui",
        "com.docker.compose.oneoff": "False",
    }
    words = [word for item in labels.items() for word in ("--label", "=".join(item))]
    program = ["python3", "-c", SERVER.read_text(encoding="utf-8"), str(INSIDE_PORT)]
    hard = ["--network=none", "--cap-drop=ALL", "--read-only", "--init", "--user=10001:0"]
    subprocess.run(
        ["docker", "run", "--detach", "--rm", "--name", name, *hard, *words, IMAGE, *program],
        check=True,
        capture_output=True,
    )
    try:
        project = find_project(os.environ, name)
        assert project
        with closing(project), connect(os.environ) as engine:
            processes = engine._api.top
            stage = Stage(
                project,
                f"127.0.0.1:{INSIDE_PORT}",
                lambda: len(processes(name)["Processes"]) - OWN_PROCESSES,
            )
            wait(lambda: talks(stage), "the service listens")
            wait(lambda: stage.relays() == 0, "the init and the service alone")
            yield stage
    finally:
        subprocess.run(["docker", "rm", "--force", name], check=True, capture_output=True)


def talks(stage: Stage) -> bool:
    """Return whether the service says a word."""
    with suppress(OSError), stage.client(b"echo\n") as connection:
        connection.shutdown(socket.SHUT_WR)
        return whole(connection) == b"bye"
    return False


def listening(port: int) -> bool:
    """Return whether somebody listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module", params=["fake", pytest.param("real", marks=pytest.mark.container)])
def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """A talkative service behind an engine."""
    made = {"fake": faked, "real": real}[request.param]
    with made(tmp_path_factory.mktemp("engine")) as found:
        yield found


def test_end_of_the_client_reaches_the_service_and_its_last_word_comes_back(stage: Stage) -> None:
    """Half-closed by the client: everything arrives whole, and so does what follows."""
    content = os.urandom(3 << 20)
    with stage.client(b"echo\n") as connection, ThreadPoolExecutor(1) as pool:
        back = pool.submit(whole, connection)
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)
        assert back.result(SECONDS) == content + b"bye"


def test_end_of_the_service_leaves_the_other_direction_open(stage: Stage) -> None:
    """Half-closed by the service: what the client still says arrives."""
    with stage.client(b"close one\n") as connection:
        assert whole(connection) == b"done"
        connection.sendall(b"still here")
    wait(lambda: kept(stage) == b"still here", "what was said after the service's end")


def kept(stage: Stage) -> bytes:
    """Return what the service heard after its own end."""
    with stage.client(b"note one\n") as connection:
        return whole(connection)


def test_words_come_as_soon_as_they_are_said(stage: Stage) -> None:
    """Nothing is held back until there is more: the next line comes only after an answer."""
    with stage.client(b"tell\n") as connection:
        for number in range(3):
            assert connection.recv(100) == b"line %d\n" % number
            connection.sendall(b"heard\n")


def test_many_connections_live_side_by_side(stage: Stage) -> None:
    """Each has a relay of its own; a silent one holds up nobody."""
    with stage.client(b"echo\n") as silent:
        connections = [stage.client(b"echo\n%d" % number) for number in range(AT_ONCE)]
        for connection in connections:
            connection.shutdown(socket.SHUT_WR)
        answers = [whole(connection) for connection in connections]
        for connection in connections:
            connection.close()
        silent.shutdown(socket.SHUT_WR)
        assert whole(silent) == b"bye"
    assert answers == [b"%dbye" % number for number in range(AT_ONCE)]


def test_broken_connection_is_no_end(stage: Stage) -> None:
    """A service that breaks off is not taken for one that has said everything."""
    with stage.client(b"reset\n") as connection, pytest.raises(ConnectionResetError):
        whole(connection)


def test_reason_of_a_refused_connection_is_kept(stage: Stage) -> None:
    """Nobody listens at that port inside: the client sees a broken connection, we know why."""
    forward = stage.project.forward("127.0.0.1:1")
    with client(forward, b"hello") as connection, pytest.raises(ConnectionResetError):
        whole(connection)
    wait(lambda: "refused" in forward.failure, "the reason")


def test_programs_inside_end_with_their_connections(stage: Stage) -> None:
    """A client that goes away, even in the middle, leaves no process in the container."""
    connection = stage.client(b"echo\n")
    wait(lambda: stage.relays() > 0, "a relay runs")
    connection.close()
    wait(lambda: stage.relays() == 0, "no relay is left")
    assert stage.relays() == 0


def test_programs_inside_end_with_a_killed_command(stage: Stage) -> None:
    """After kill -9 nobody says goodbye; the engine closes the streams, and the relay goes."""
    script = (
        "import os, sys, time\n"
        "from tonesmith.docker.project import find_project\n"
        "import socket, urllib.parse\n"
        "project = find_project(os.environ | {'DOCKER_HOST': sys.argv[1]}, sys.argv[2])\n"
        "port = urllib.parse.urlsplit(project.forward(sys.argv[3]).url).port\n"
        "open_one = socket.create_connection(('127.0.0.1', port))\n"
        "open_one.sendall(b'echo\\nx')\n"
        "open_one.recv(1)\n"
        "print('open', flush=True)\n"
        "time.sleep(60)\n"
    )
    words = [stage.project.engine.host, stage.project.name, stage.target]
    with subprocess.Popen(
        [sys.executable, "-c", script, *words], stdout=subprocess.PIPE
    ) as command:
        assert command.stdout
        assert command.stdout.readline() == b"open\n"
        assert stage.relays() > 0
        command.kill()
    wait(lambda: stage.relays() == 0, "no relay is left")


def test_closing_ends_every_connection(stage: Stage) -> None:
    """At the end of a command nothing is left, whatever was open."""
    forward = Forward(stage.target, stage.project._dial)
    connection = client(forward, b"echo\nx")
    assert connection.recv(1) == b"x"
    forward.close()
    with connection, suppress(ConnectionResetError):
        assert connection.recv(1) == b""
    wait(lambda: stage.relays() == 0, "no relay is left")
    with pytest.raises(ConnectionRefusedError):
        client(forward, b"")
