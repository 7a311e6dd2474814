"""A Docker Engine for the real docker SDK: the few routes that the command line uses.

It listens on a unix socket and knows no containers but those it is given. A program that is run in
one of them really runs, as a process of this machine; its streams are attached as an engine
attaches them. `names` and `files` are what a container would see instead of this machine.
"""

import json
import re
import socket
import socketserver
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qs, urlsplit

VERSION = {"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12"}
INFO: dict[str, Any] = {
    "Runtimes": {"runc": {"path": "runc"}},
    "DockerRootDir": "/",
    "MemTotal": 32 << 30,
}
# What the name service of a container's network knows, put before a Python program.
NAMES = """\
import socket as _socket
_connect, _names = _socket.create_connection, {names!r}
_socket.create_connection = lambda to, *rest: _connect(_names.get("%s:%d" % to, to), *rest)
"""


class FakeDockerEngine:
    """What the engine has and did; change it before or while it is asked.

    Args:
        path: of its socket.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.version: dict[str, Any] = dict(VERSION)
        self.info: dict[str, Any] = dict(INFO)
        self.containers: list[dict[str, Any]] = []
        self.volumes: list[str] = []
        self.images: set[str] = set()
        self.registry: set[str] = set()
        self.files: dict[str, Path] = {}
        self.names: dict[str, tuple[str, int]] = {}
        self.prints: dict[str, str] = {}  # what a throw-away container prints, by its user
        self.created: list[dict[str, Any]] = []
        self.execs: list[dict[str, Any]] = []
        self.processes: list[subprocess.Popen[bytes]] = []

    @property
    def host(self) -> str:
        """The value of DOCKER_HOST."""
        return f"unix://{self.path}"

    def add(self, project: str, service: str, state: str = "running", **more: Any) -> None:
        """Add a container of a compose project."""
        labels = {
            "com.docker.compose.project": project,
            "com.docker.compose.service": service,
            "com.docker.compose.oneoff": "False",
        }
        said = "Up 2 minutes (healthy)" if state == "running" else "Exited (1) 2 minutes ago"
        usual = {"Image": f"tonesmith/{service}:dev", "State": state, "Status": said, "Ports": []}
        self.containers.append({"Id": f"{project}-{service}-1", "Labels": labels} | usual | more)

    def command(self, exec_id: int) -> list[str]:
        """Return the command line of a program, as it is run on this machine."""
        program, *arguments = self.execs[exec_id]["Cmd"]
        arguments = [str(self.files.get(argument, argument)) for argument in arguments]
        if program == "python3":
            program, arguments[-1] = sys.executable, NAMES.format(names=self.names) + arguments[-1]
        return [program, *arguments]


class Handler(BaseHTTPRequestHandler):
    """One request of the SDK."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def address_string(self) -> str:
        """A unix socket has no address."""
        return "unix"

    def do_GET(self) -> None:
        """Answer a question."""
        fake, path = self.server.fake, self.route
        labels = json.loads(self.query.get("filters", "{}")).get("label", [])
        if path == "/version":
            self.answer(fake.version)
        elif path == "/info":
            self.answer(fake.info)
        elif path == "/containers/json":
            self.answer([found for found in fake.containers if has(found["Labels"], labels)])
        elif path == "/volumes":
            self.answer(
                {"Volumes": [{"Name": n} for n in fake.volumes if n.startswith(of(labels))]}
            )
        elif found := re.fullmatch(r"/images/(.+)/json", path):
            self.known(found[1], fake.images)
        elif found := re.fullmatch(r"/distribution/(.+)/json", path):
            self.known(found[1], fake.registry)
        elif found := re.fullmatch(r"/exec/(\d+)/json", path):
            self.answer({"ExitCode": fake.processes[int(found[1])].wait()})
        elif found := re.fullmatch(r"/containers/made-(\d+)/json", path):
            self.answer({"Config": {"Tty": False}})
        elif found := re.fullmatch(r"/containers/made-(\d+)/logs", path):
            user = fake.created[int(found[1])]["User"]
            self.reply(200, piece(1, fake.prints.get(user, "").encode()))
        else:
            self.answer({"message": f"no route {path}"}, 404)

    def do_POST(self) -> None:
        """Do something."""
        fake, path = self.server.fake, self.route
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        if found := re.fullmatch(r"/containers/(.+)/exec", path):
            running = {c["Id"] for c in fake.containers if c["State"] == "running"}
            if found[1] not in running:
                self.answer({"message": f"container {found[1]} is not running"}, 409)
                return
            fake.execs.append(body)
            self.answer({"Id": str(len(fake.execs) - 1)}, 201)
        elif found := re.fullmatch(r"/exec/(\d+)/start", path):
            self.attach(int(found[1]))
        elif path == "/containers/create":
            fake.created.append(body)
            self.answer({"Id": f"made-{len(fake.created) - 1}", "Warnings": []}, 201)
        elif path.endswith("/start"):
            self.reply(204, b"")
        elif path.endswith("/wait"):
            self.answer({"StatusCode": 0})

    def do_DELETE(self) -> None:
        """Remove a throw-away container."""
        self.server.fake.created[int(self.route.rpartition("-")[2])]["removed"] = True
        self.reply(204, b"")

    @property
    def route(self) -> str:
        """The path without the version."""
        return re.sub(r"^/v[\d.]+", "", urlsplit(self.path).path)

    @property
    def query(self) -> dict[str, str]:
        """The last value of each parameter."""
        return {name: found[-1] for name, found in parse_qs(urlsplit(self.path).query).items()}

    def known(self, name: str, names: set[str]) -> None:
        """Answer whether an image is known."""
        code = 200 if name in names else 404
        self.answer({"Id": name, "message": f"No such image: {name}"}, code)

    def answer(self, document: Any, code: int = 200) -> None:
        """Send a document."""
        self.reply(code, json.dumps(document).encode())

    def reply(self, code: int, content: bytes) -> None:
        """Send a whole response."""
        self.send_response(code)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(content)

    def attach(self, exec_id: int) -> None:
        """Run a program and join its streams to this connection, as an engine does."""
        fake = self.server.fake
        self.send_response(101, "UPGRADED")
        self.send_header("Content-Type", "application/vnd.docker.raw-stream")
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", "tcp")
        self.end_headers()
        self.close_connection = True
        stdin = subprocess.PIPE if fake.execs[exec_id].get("AttachStdin") else subprocess.DEVNULL
        process = subprocess.Popen(
            fake.command(exec_id), stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        fake.processes.append(process)
        join(process, self.connection)


class Server(socketserver.ThreadingUnixStreamServer):
    """Serves the routes on a unix socket."""

    daemon_threads = True
    request_queue_size = 128  # a full queue refuses at once on a unix socket
    fake: FakeDockerEngine

    def handle_error(self, *_: object) -> None:
        """A client that went away is no error."""


def join(process: subprocess.Popen[bytes], connection: socket.socket) -> None:
    """Carry a program's streams until it ends; a client that is gone closes only its input."""
    assert process.stdout
    assert process.stderr
    turn = threading.Lock()

    def inward() -> None:
        assert process.stdin
        with suppress(OSError), process.stdin:
            while content := connection.recv(1 << 16):
                process.stdin.write(content)
                process.stdin.flush()

    def outward(stream: IO[bytes], number: int) -> None:
        with stream:
            while content := stream.read1(1 << 15):  # type: ignore[attr-defined]
                with turn, suppress(OSError):
                    connection.sendall(piece(number, content))

    reader = threading.Thread(target=inward, daemon=True)
    if process.stdin:
        reader.start()
    words = threading.Thread(target=outward, args=(process.stderr, 2), daemon=True)
    words.start()
    outward(process.stdout, 1)
    words.join()
    process.wait()
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def piece(stream: int, content: bytes) -> bytes:
    """Return output as an engine sends it: which stream, how long, what."""
    return struct.pack(">BxxxL", stream, len(content)) + content if content else b""


def has(labels: dict[str, str], wanted: list[str]) -> bool:
    """Return whether all of `wanted` (`name=value`) are there."""
    return {f"{name}={value}" for name, value in labels.items()} >= set(wanted)


def of(labels: list[str]) -> str:
    """Return how the volumes of the project in a filter begin."""
    return labels[0].partition("=")[2] + "_" if labels else ""


@contextmanager
def docker_engine(folder: Path) -> Iterator[FakeDockerEngine]:
    """Run an engine whose socket lies in `folder`; what it ran is ended with it."""
    fake = FakeDockerEngine(folder / "docker.sock")
    server = Server(str(fake.path), Handler)
    server.fake = fake
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        for process in fake.processes:
            process.kill()
            process.wait()
