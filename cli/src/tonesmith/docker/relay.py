"""The far end of the relay: joins its standard streams to a service that it can reach.

The command line has `python -c` run this file inside the ui container, so it needs the standard
library only. The streams carry frames: four bytes of length, then so many bytes; an empty frame
ends its direction. A stream that a Docker Engine attaches tells neither "no more" from "gone", nor
can it be half-closed over TLS. The first frame names the service, `host:port`; nothing is sent
before it has come.
"""

import os
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator

LENGTH = struct.Struct(">I")
PIECE = 1 << 16
CONNECT_SECONDS = 10.0
END = b""


def frame(payload: bytes) -> bytes:
    """Return `payload` as it travels; an empty one (END) says that no more will follow."""
    return LENGTH.pack(len(payload)) + payload


def frames(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """Yield the payload of each frame until the stream ends; one that is cut short is dropped.

    Args:
        read: returns up to so many bytes, none at the end, as `os.read` does.
    """
    while len(header := exactly(read, LENGTH.size)) == LENGTH.size:
        (length,) = LENGTH.unpack(header)
        payload = exactly(read, length)
        if len(payload) < length:
            return
        yield payload


def exactly(read: Callable[[int], bytes], count: int) -> bytes:
    """Return the next `count` bytes of a stream, fewer only where it ends."""
    pieces = []
    while count and (piece := read(count)):
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)


def inward(incoming: Iterator[bytes], service: socket.socket) -> None:
    """Hand on what comes, until the near end is gone."""
    for payload in incoming:
        try:
            if payload:
                service.sendall(payload)
            else:
                service.shutdown(socket.SHUT_WR)
        except OSError:
            continue  # the service takes no more; what it has said still goes out


def outward(service: socket.socket) -> None:
    """Send what the service says; if it breaks off, so does this process."""
    try:
        while piece := service.recv(PIECE):
            write(frame(piece))
        write(frame(END))
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        sys.stderr.flush()
        os._exit(1)


def write(content: bytes) -> None:
    """Write all of `content` to standard output, at once."""
    while content:
        content = content[os.write(1, content) :]


def main() -> None:
    """Join the service that the first frame names, until the near end closes our input."""
    incoming = frames(lambda count: os.read(0, count))
    target = next(incoming).decode()
    host, _, port = target.rpartition(":")
    try:
        service = socket.create_connection((host, int(port)), CONNECT_SECONDS)
    except OSError as error:
        sys.exit(str(error))
    service.settimeout(None)
    service.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    threading.Thread(target=outward, args=(service,), daemon=True).start()
    inward(incoming, service)
    os._exit(0)  # not a service that is still talking keeps this process


if __name__ == "__main__":
    main()
