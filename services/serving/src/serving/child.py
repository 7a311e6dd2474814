"""vLLM as a child process: started in a group of its own, watched, stopped, never left behind."""

import asyncio
import contextlib
import logging
import os
import signal
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

logger = logging.getLogger(__name__)
LINES_KEPT = 60
LINE_LENGTH = 2000
CHUNK = 1 << 16
PROC = Path("/proc")
GONE_POLL_SECONDS = 0.02


class EngineChild:
    """A running engine; make one with `start`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: deque[str] = deque(maxlen=LINES_KEPT)
        self._pump = asyncio.create_task(self.pump())

    @classmethod
    async def start(cls, argv: Sequence[str], env: Mapping[str, str], cwd: Path) -> "EngineChild":
        """Start `argv` in a new session. Raises OSError where it cannot be started."""
        process = await asyncio.create_subprocess_exec(
            *argv,
            env=dict(env),
            cwd=cwd,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        logger.info("engine started", extra={"pid": process.pid})
        return cls(process)

    @property
    def exited(self) -> bool:
        """Whether the process has ended."""
        return self.process.returncode is not None

    @property
    def reason(self) -> str:
        """Why it ended, as far as its last lines tell."""
        telling = [line for line in self.lines if "Error" in line or "error:" in line]
        last = (telling or list(self.lines) or ["no output"])[-1]
        return f"vLLM ended with code {self.process.returncode}: {last}"[:500]

    async def pump(self) -> None:
        """Log every line that the engine writes, and keep the last ones."""
        rest = b""
        stream = self.process.stdout
        while stream and (chunk := await stream.read(CHUNK)):
            *lines, rest = (rest + chunk).split(b"\n")
            rest = rest[-LINE_LENGTH:]
            for line in lines:
                self.note(line)
        self.note(rest)

    def note(self, raw: bytes) -> None:
        """Log one line of the engine."""
        if line := raw.decode(errors="replace").strip()[:LINE_LENGTH]:
            self.lines.append(line)
            logger.info("engine", extra={"line": line})

    async def stop(self, grace: float) -> int:
        """Ask the engine to end, wait `grace` seconds, then kill it; return its exit code."""
        if not self.exited:
            self.process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), grace)
        return await self.kill()

    async def kill(self) -> int:
        """Kill the whole group, the engine's own children too, and wait until all are gone.

        Only then is the GPU's memory free. Return the exit code.
        """
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        code = await self.process.wait()
        await self._pump
        # Polled: they are not our children, so nobody tells us of their end.
        while group_runs(self.process.pid):  # noqa: ASYNC110
            await asyncio.sleep(GONE_POLL_SECONDS)
        return code


def group_runs(group: int, proc: Path = PROC) -> bool:
    """Return whether a process of the group runs; a dead one that nobody reaped does not count."""
    for stat in proc.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ended between the look and the read
            state, _, found = stat.read_text(errors="replace").rpartition(")")[2].split()[:3]
            if int(found) == group and state not in "ZX":
                return True
    return False
