"""The stream of a program in a container: taken apart, and joined over TLS."""

import shutil
import socket
import ssl
import struct
import subprocess
import threading
from pathlib import Path

import pytest

from tonesmith.docker.attached import Attached, Shared, outputs

BIG = b"x" * (2 << 20)


def framed(stream: int, content: bytes) -> bytes:
    """Return output as an engine sends it."""
    return struct.pack(">BxxxL", stream, len(content)) + content


def test_pieces_of_both_streams_are_told_apart() -> None:
    """However the bytes arrive; an empty piece is nothing."""
    content = framed(1, b"one") + framed(2, b"oh") + framed(1, b"") + framed(1, b"two")
    arriving = iter(content[at : at + 1] for at in range(len(content)))
    said: list[bytes] = []
    found = outputs(lambda _: next(arriving, b""), said.append)
    assert (list(found), said) == ([b"one", b"two"], [b"oh"])


@pytest.mark.parametrize("cut", [0, 3, 9, 10])
def test_piece_that_is_cut_short_ends_the_stream(cut: int) -> None:
    """In its header or in its middle: half a piece is not handed on."""
    near, far = socket.socketpair()
    with near:
        far.sendall((framed(1, b"one") + framed(1, b"two"))[: cut + 11])
        far.close()
        attached = Attached(near)
        assert attached.read(100) == b"one"
        assert attached.read(100) == b""


def test_reading_gives_what_is_there_and_keeps_the_rest() -> None:
    """A small reader loses nothing; standard error is remembered."""
    near, far = socket.socketpair()
    with near, far:
        far.sendall(framed(2, b"warning") + framed(1, b"abc"))
        attached = Attached(near)
        assert [attached.read(2), attached.read(2), attached.said] == [b"ab", b"c", "warning"]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for nobody, with its key."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    path = tmp_path / "both.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=x"
    subprocess.run(
        ["openssl", *words.split(), "-keyout", str(path), "-out", str(tmp_path / "cert.pem")],
        check=True,
        capture_output=True,
    )
    path.write_text(path.read_text() + (tmp_path / "cert.pem").read_text())
    return path


def test_tls_is_read_and_written_at_once(certificate: Path) -> None:
    """A thread that waits for an answer does not keep another from asking."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    near, far = socket.socketpair()
    answers: list[bytes] = []

    def echo() -> None:
        with server.wrap_socket(far, server_side=True) as connection:
            while piece := connection.recv(1 << 16):
                connection.sendall(piece)

    def listen(connection: Shared) -> None:
        while sum(map(len, answers)) < len(BIG):
            answers.append(connection.recv(1 << 16))

    echoing = threading.Thread(target=echo, daemon=True)
    echoing.start()
    with client.wrap_socket(near) as wrapped:
        connection = Shared(wrapped)
        listening = threading.Thread(target=listen, args=(connection,), daemon=True)
        listening.start()
        connection.sendall(BIG)
        listening.join(20)
        connection.shutdown(socket.SHUT_RDWR)
    echoing.join(20)
    assert b"".join(answers) == BIG
