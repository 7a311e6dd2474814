"""The near end of the relay: a port of this machine that leads to a service inside the project."""

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress

from tonesmith.docker.attached import PIECE, Attached
from tonesmith.docker.relay import END, frame, frames
from tonesmith.errors import CommandError

LOOPBACK = "127.0.0.1"
# Closing with these tells the client that the connection broke, not that all was said.
ABORT = struct.pack("ii", 1, 0)
END_SECONDS = 2.0
Dial = Callable[[], Attached]


class Forward:
    """A listener on loopback; each connection has a relay of its own.

    `url` is its address on this machine; `failure` is why the last connection broke, as the far
    end told it.

    Args:
        target: `host:port` as it is called inside.
        dial: starts the far end of the relay.
    """

    def __init__(self, target: str, dial: Dial) -> None:
        self.target = target
        self.failure = ""
        self._dial = dial
        self._closed = False
        self._links: set[Link] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server((LOOPBACK, 0))
        self.url = f"http://{LOOPBACK}:{self._listener.getsockname()[1]}"
        self._start(self._accept)

    def close(self) -> None:
        """Stop listening and end every connection; the programs inside end with theirs."""
        self._closed = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes `accept`, which closing does not
        self._listener.close()
        for link in list(self._links):
            link.hang_up()
        for thread in list(self._threads):
            thread.join(END_SECONDS)

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                near, _ = self._listener.accept()
                self._threads = [thread for thread in self._threads if thread.is_alive()]
                self._start(lambda near=near: self._serve(near))  # type: ignore[misc]

    def _serve(self, near: socket.socket) -> None:
        """Join one connection to the service."""
        with near:
            near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or a reply waits 40 ms
            try:
                far = self._dial()
            except CommandError as error:
                self.failure = error.body.message
                near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
                return
            with far:
                link = Link(near, far)
                self._links.add(link)
                if not self._closed:
                    link.join(self.target)
                self._links.discard(link)
                self.failure = far.said.strip() or self.failure


class Link:
    """One connection, joined to the service.

    Args:
        near: the client's connection.
        far: the streams of the relay inside.
    """

    def __init__(self, near: socket.socket, far: Attached) -> None:
        self._near = near
        self._far = far

    def join(self, target: str) -> None:
        """Carry both directions until both have ended, or one broke off."""
        upward = threading.Thread(target=self._upward, args=(target,), daemon=True)
        upward.start()
        if not self._downward():
            with suppress(OSError):
                self._near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
                self._near.shutdown(socket.SHUT_RD)  # wakes the other thread
        upward.join()

    def hang_up(self) -> None:
        """End both directions, from any thread."""
        self._far.hang_up()
        with suppress(OSError):
            self._near.shutdown(socket.SHUT_RDWR)

    def _upward(self, target: str) -> None:
        """Hand on what the client says, and that it says no more."""
        try:
            self._far.send(frame(target.encode()))
            while piece := self._near.recv(PIECE):
                self._far.send(frame(piece))
            self._far.send(frame(END))
        except OSError:
            self._far.hang_up()

    def _downward(self) -> bool:
        """Hand on what the service says; return whether it said all of it."""
        with suppress(OSError):
            for payload in frames(self._far.read):
                if not payload:
                    self._near.shutdown(socket.SHUT_WR)
                    return True
                self._near.sendall(payload)
        return False
