"""Talk to a running supervisord over its control socket."""

import xmlrpc.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport  # type: ignore[import-untyped]

# Nobody listens, the connection broke, or supervisord refuses since it is shutting down.
FAILURES = (OSError, HTTPException, xmlrpc.client.Error)
# States in which supervisord has given a program up, or is about to try it again.
BROKEN = frozenset({"BACKOFF", "EXITED", "FATAL", "UNKNOWN"})
# Those of which it says why.
EXPLAINED = frozenset({"BACKOFF", "FATAL"})


@dataclass(frozen=True)
class ProgramState:
    """What supervisord says of a program: its state, process id (0: none), and a sentence."""

    name: str
    state: str
    pid: int
    description: str

    @property
    def broken(self) -> bool:
        """Whether it is not running although it should."""
        return self.state in BROKEN

    @property
    def reason(self) -> str:
        """Why it does not run; of one that ended supervisord tells when, which is no reason."""
        told = self.description if self.state in EXPLAINED else ""
        return told or self.state.lower()


class Supervisor:
    """A supervisord.

    Args:
        socket: its control socket.
    """

    def __init__(self, socket: Path) -> None:
        self.socket = socket

    @property
    def running(self) -> bool:
        """Whether a supervisord answers, be it that it is shutting down."""
        try:
            self.pid()
        except xmlrpc.client.Fault:
            return True
        except FAILURES:
            return False
        return True

    def pid(self) -> int:
        """Return supervisord's process id. Raises one of FAILURES."""
        with self._calls() as calls:
            return int(calls.getPID())

    def programs(self) -> list[ProgramState]:
        """Return the state of every program. Raises one of FAILURES."""
        with self._calls() as calls:
            found = calls.getAllProcessInfo()
        return [
            ProgramState(info["name"], info["statename"], info["pid"], info["description"])
            for info in found
        ]

    def shutdown(self) -> None:
        """Have supervisord stop every program and end; returns at once."""
        with self._calls() as calls:
            calls.shutdown()

    @contextmanager
    def _calls(self) -> Iterator[Any]:
        """Yield supervisord's methods; the connection is closed afterwards."""
        transport = SupervisorTransport(None, None, f"unix://{self.socket}")
        try:
            proxy = xmlrpc.client.ServerProxy("http://localhost", transport)
            yield proxy.supervisor
        finally:
            transport.close()
