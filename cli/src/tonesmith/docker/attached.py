"""The two-way stream to a program that a Docker Engine runs for us."""

import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, Self

# What the engine puts before each piece of output: which stream, and how many bytes.
HEADER = struct.Struct(">BxxxL")
STDOUT = 1
PIECE = 1 << 16


class Attached:
    """The standard streams of a program in a container.

    `said` is what it wrote to standard error. Sending and reading may happen in two threads.

    Args:
        stream: what the docker SDK returns for `exec_start(socket=True)`.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        found = getattr(stream, "_sock", stream)
        self._socket = Shared(found) if isinstance(found, ssl.SSLSocket) else found
        self._socket.settimeout(None)
        self._pieces = outputs(self._socket.recv, self._note)
        self._rest = b""
        self.said = ""

    def send(self, content: bytes) -> None:
        """Write to the program's standard input. Raises OSError."""
        self._socket.sendall(content)

    def read(self, count: int) -> bytes:
        """Return up to `count` bytes of its standard output; none once it has ended."""
        if not self._rest:
            self._rest = next(self._pieces, b"")
        found, self._rest = self._rest[:count], self._rest[count:]
        return found

    def hang_up(self) -> None:
        """End both directions, from any thread; the engine then closes the program's input."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Hang up and free the connection."""
        self.hang_up()
        # The response owns the connection; the SDK keeps it at the stream.
        getattr(self._stream, "_response", self._stream).close()

    def _note(self, words: bytes) -> None:
        self.said += words.decode(errors="replace")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def outputs(receive: Callable[[int], bytes], other: Callable[[bytes], None]) -> Iterator[bytes]:
    """Yield each piece of standard output; hand the pieces of other streams to `other`.

    Args:
        receive: returns up to so many bytes of the engine's stream, none at its end.
        other: gets what came on standard error.
    """
    while header := received(receive, HEADER.size):
        stream, length = HEADER.unpack(header)
        content = received(receive, length)
        if stream != STDOUT:
            other(content)
        elif content:
            yield content


def received(receive: Callable[[int], bytes], count: int) -> bytes:
    """Return exactly `count` bytes; none where the stream ends or breaks before."""
    pieces = []
    while count:
        try:
            piece = receive(count)
        except OSError:
            return b""
        if not piece:
            return b""
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)


class Shared:
    """A TLS connection that one thread reads while another writes, which OpenSSL forbids.

    Args:
        connection: nobody else uses it.
    """

    def __init__(self, connection: ssl.SSLSocket) -> None:
        self._connection = connection
        self._connection.setblocking(False)
        self._turn = threading.Lock()

    def settimeout(self, _: float | None) -> None:
        """Nothing to do: it waits without blocking the other direction."""

    def recv(self, count: int) -> bytes:
        """Return up to `count` bytes, none at the end. Raises OSError."""
        return bytes(self._repeat(partial(self._connection.recv, count)))

    def sendall(self, content: bytes) -> None:
        """Send everything. Raises OSError."""
        while content:
            content = content[self._repeat(partial(self._connection.send, content)) :]

    def shutdown(self, how: int) -> None:
        """End the connection underneath."""
        socket.socket.shutdown(self._connection, how)

    def _repeat(self, attempt: Callable[[], Any]) -> Any:
        """Return what `attempt` returns once the connection is ready for it."""
        while True:
            try:
                with self._turn:
                    return attempt()
            except ssl.SSLWantReadError:
                select.select([self._connection], [], [])
            except ssl.SSLWantWriteError:
                select.select([], [self._connection], [])
