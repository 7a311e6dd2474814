"""Which processes live, told apart from later ones with the same number. Linux's `/proc`.

A process is known by its number, the moment of its start and the boot of the machine: the number
alone is given to another process sooner or later. What an engine starts itself (torchrun starts
each rank in a session of its own) is found by a mark that it inherits in its environment.
"""

import asyncio
import os
import signal
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

PROC = Path("/proc")
POLL_SECONDS = 0.02
KILL_ROUNDS = 250  # five seconds: a process in the kernel's hands dies late, one that forks leaves


@dataclass(frozen=True)
class Identity:
    """One process of one boot; `started` is field 22 of `/proc/<pid>/stat` (clock ticks)."""

    pid: int
    started: int
    boot_id: str

    @property
    def document(self) -> dict[str, Any]:
        """What is written down of it."""
        return asdict(self)


def identity_of(pid: int, proc: Path = PROC) -> Identity | None:
    """Return who has this number now; None where nobody has, or only a zombie."""
    try:
        fields = (proc / str(pid) / "stat").read_text(errors="replace").rsplit(")", 1)[1].split()
        boot = (proc / "sys/kernel/random/boot_id").read_text().strip()
    except (OSError, IndexError):
        return None
    # The fields behind the name start with the third, the state; the 22nd is the start.
    return None if fields[0] in "ZX" else Identity(pid, int(fields[19]), boot)


def identity_in(document: dict[str, Any]) -> Identity | None:
    """Return the process that `document` names (`engine.pid`); None where it names none."""
    try:
        return Identity(int(document["pid"]), int(document["started"]), str(document["boot_id"]))
    except (KeyError, TypeError, ValueError):
        return None


def lives(who: Identity, proc: Path = PROC) -> bool:
    """Return whether that very process still runs."""
    return identity_of(who.pid, proc) == who


def marked(mark: str, proc: Path = PROC) -> list[int]:
    """Return the numbers of the processes that have `mark` (NAME=value) in their environment."""
    if not proc.is_dir():
        return []
    wanted = mark.encode()
    numbers = (int(entry.name) for entry in os.scandir(proc) if entry.name.isdecimal())
    return sorted(pid for pid in numbers if wanted in environment(pid, proc))


def environment(pid: int, proc: Path = PROC) -> list[bytes]:
    """Return the environment that a process started with; nothing of a zombie or of others."""
    try:
        return (proc / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


async def kill_marked(mark: str) -> None:
    """Kill every process with `mark`, and return once none is left."""
    for _ in range(KILL_ROUNDS):
        if not (found := marked(mark)):
            return
        for pid in found:
            with suppress(ProcessLookupError):  # it ended between the look and the kill
                os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(POLL_SECONDS)
