"""Start, watch and stop the embedded stack; nothing that it started outlives `stop`."""

import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from tonesmith.errors import CommandError
from tonesmith.stack.programs import STOP_SECONDS, Places, Program, supervisord_conf
from tonesmith.stack.supervisor import FAILURES, Supervisor
from tonesmith.stack.tether import tethered

POLL_SECONDS = 0.1
START_SECONDS = 20.0
# supervisord itself needs a moment beyond what it grants its programs.
SHUTDOWN_SECONDS = STOP_SECONDS + 10
TERM_SECONDS = 3.0
LOG_LINES = 15
Probes = Mapping[str, Callable[[], bool]]


class ProgramFailedError(CommandError):
    """A program of the stack does not run.

    Args:
        program: its name.
        log: its log file, the end of which is shown.
        since: how long the log was when the program was started; older lines tell of another one.
    """

    code = "program_failed"

    def __init__(self, program: str, log: Path, why: str, since: int = 0) -> None:
        tail = last_lines(log, since=since)
        super().__init__(
            f"{program} does not run: {why}" + (f"; its last lines:\n{tail}" if tail else ""),
            hint=f"see {log}; check the machine with `tonesmith doctor`",
        )


class StackStoppedError(CommandError):
    """Another command had the stack stopped."""

    code = "stack_stopped"


class Stack:
    """Local processes under one supervisord.

    Args:
        places: where its files are.
        programs: what to run.
        environ: the environment of all of them.
    """

    def __init__(
        self, places: Places, programs: Sequence[Program], environ: Mapping[str, str]
    ) -> None:
        self.places = places
        self.programs = programs
        self.environ = dict(environ)
        self.supervisor = Supervisor(places.socket)
        self.seen: set[psutil.Process] = set()
        self.optional = {program.name for program in programs if program.optional}
        self._process: subprocess.Popen[bytes] | None = None
        self._log_sizes: dict[Path, int] = {}

    def start(self, *, detached: bool = False) -> None:
        """Start supervisord, which starts every program, and wait until it answers.

        Args:
            detached: the stack stays when this process ends; otherwise it dies with it.

        Raises:
            CommandError: one runs already, or it does not start.
        """
        if self.supervisor.running:
            raise CommandError("the stack runs already", hint="stop it: `tonesmith down`")
        for folder in (self.places.embedded, self.places.logs, self.places.socket.parent):
            folder.mkdir(parents=True, exist_ok=True)
        self.places.stop_asked.unlink(missing_ok=True)
        self.places.config.write_text(supervisord_conf(self.places, self.programs))
        config = str(self.places.config.absolute())
        command = [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", config]
        with (self.places.logs / "supervisord.out").open("wb") as output:
            logs = self.places.logs.iterdir()
            self._log_sizes = {path: path.stat().st_size for path in logs if path.is_file()}
            self._process = subprocess.Popen(
                command if detached else tethered(command, os.getpid()),
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C in the terminal is ours to handle
            )
        self._wait_for_supervisor()

    def _wait_for_supervisor(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        while not self.supervisor.running:
            if self._process.poll() is not None or time.monotonic() > deadline:
                log = self.places.logs / "supervisord.out"
                raise self._failed("supervisord", log, f"exit code {self._process.poll()}")
            time.sleep(POLL_SECONDS)

    def wait_until(
        self, probes: Probes, timeout: float, tick: Callable[[int], None] = lambda _: None
    ) -> None:
        """Wait until every probe answers True, calling `tick` with how many do.

        Raises:
            ProgramFailedError: a program broke, or one is not ready after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        waiting = dict(probes)
        while waiting:
            waiting = {name: probe for name, probe in waiting.items() if not probe()}
            tick(len(probes) - len(waiting))
            self.check()
            if waiting and time.monotonic() > deadline:
                name = next(iter(waiting))
                log = self.places.log(name)
                raise self._failed(name, log, f"not ready after {timeout:.0f} s")
            time.sleep(POLL_SECONDS)

    def _failed(self, program: str, log: Path, why: str) -> ProgramFailedError:
        return ProgramFailedError(program, log, why, self._log_sizes.get(log, 0))

    def check(self) -> set[str]:
        """Note which processes there are; return the optional programs that do not run.

        Raises:
            ProgramFailedError: a program broke that the others need.
            StackStoppedError: another command had it stopped.
        """
        self.note_processes()
        try:
            states = self.supervisor.programs()
        except FAILURES as error:
            if self.places.stop_asked.is_file():
                raise StackStoppedError("the stack was stopped") from error
            log = self.places.logs / "supervisord.log"
            raise self._failed("supervisord", log, "it is gone") from error
        broken = {state.name: state.reason for state in states if state.broken}
        for name, why in broken.items():
            if name not in self.optional:
                raise self._failed(name, self.places.log(name), why)
        return set(broken)

    def processes(self) -> list[psutil.Process]:
        """Return supervisord and everything below it that lives now."""
        try:
            pid = self._process.pid if self._process else self.supervisor.pid()
            root = psutil.Process(pid)
            return [root, *root.children(recursive=True)]
        except (*FAILURES, psutil.NoSuchProcess):
            return []

    def note_processes(self) -> list[psutil.Process]:
        """Remember the processes that live now, so that `stop` can make sure of them."""
        alive = self.processes()
        self.seen.update(alive)
        return alive

    def stop(self) -> list[int]:
        """Stop everything; return the ids of processes that had to be killed."""
        self.note_processes()
        if self._process:
            if self._process.poll() is None:
                self._process.terminate()
        elif self.supervisor.running:
            with suppress(OSError):  # without the note, who watches the stack takes it for broken
                self.places.stop_asked.touch()
            self.supervisor.shutdown()
        self._wait_for_end()
        return end_all(self.seen)

    def _wait_for_end(self) -> None:
        """Wait until supervisord has stopped its programs and ended, or is overdue."""
        deadline = time.monotonic() + SHUTDOWN_SECONDS
        while time.monotonic() < deadline:
            ended = self._process.poll() is not None if self._process else True
            if ended and not self.supervisor.running:
                return
            time.sleep(POLL_SECONDS)


def end_all(processes: set[psutil.Process], grace: float = TERM_SECONDS) -> list[int]:
    """End those of `processes` that still live, first politely; return the ids of the killed.

    Args:
        processes: any, also some that ended long ago.
        grace: seconds to end politely.

    psutil compares start times, so a process that got a used id is not taken for ours.
    """
    alive = [process for process in processes if living(process)]
    for process in alive:
        with suppress(psutil.NoSuchProcess):  # `up` and `down` may end the same ones
            process.terminate()
    _, stubborn = psutil.wait_procs(alive, timeout=grace)
    for process in stubborn:
        with suppress(psutil.NoSuchProcess):
            if living(process):
                process.kill()
    return [process.pid for process in stubborn]


def living(process: psutil.Process) -> bool:
    """Return whether a process runs; one that only waits for its parent to notice does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def last_lines(path: Path, count: int = LOG_LINES, since: int = 0) -> str:
    """Return the last lines of a log, or nothing where there is none.

    Args:
        path: the log.
        count: at most so many.
        since: bytes that are left out; a file that is shorter was begun anew.
    """
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        file.seek(since if since <= path.stat().st_size else 0)
        return b"".join(deque(file, count)).decode(errors="replace").rstrip()
