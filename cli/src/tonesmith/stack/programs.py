"""What the embedded stack runs: programs, their environment, and supervisord's file (pure)."""

import hashlib
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tonesmith.stack.ports import LOOPBACK
from tonesmith.stack.tether import tethered

# A unix socket's path has at most 107 characters (sun_path in linux/un.h).
LONGEST_SOCKET_PATH = 100
# vLLM takes a while to end on a busy machine (18 s seen). What has not stopped by then is killed,
# with its group.
STOP_SECONDS = 30


@dataclass(frozen=True)
class Program:
    """One process of the stack: its name and its command line.

    Without an optional one the others go on.
    """

    name: str
    command: Sequence[str]
    priority: int = 100
    optional: bool = False


SERVICES = tuple(
    Program(name, (sys.executable, "-m", name), priority)
    for priority, name in enumerate(("trainer", "datagen", "serving", "ui"))
)


# Of the stack that `up` starts; relative, for each clone has its own.
ROOT = Path("var")


@dataclass(frozen=True)
class Places:
    """Folders of one stack: `root` is `var` for `up` and `var/demo` for `demo`."""

    root: Path

    @property
    def embedded(self) -> Path:
        """Folder of supervisord's own files."""
        return self.root / "embedded"

    @property
    def logs(self) -> Path:
        """Folder of the programs' logs."""
        return self.root / "log"

    @property
    def config(self) -> Path:
        """supervisord's configuration, written at each start."""
        return self.embedded / "supervisord.conf"

    @property
    def socket(self) -> Path:
        """The control socket; under the temporary folder where the path would be too long."""
        path = self.embedded.absolute() / "supervisor.sock"
        if len(str(path)) <= LONGEST_SOCKET_PATH:
            return path
        digest = hashlib.sha256(str(path).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"tonesmith-{digest}" / "supervisor.sock"

    @property
    def addresses(self) -> Path:
        """Where the services of the stack that was started last answer."""
        return self.embedded / "addresses.json"

    @property
    def stop_asked(self) -> Path:
        """A file that lies here once somebody else than who started the stack had it stopped."""
        return self.embedded / "stop-asked"

    def log(self, program: str) -> Path:
        """Return the log file of a program."""
        return self.logs / f"{program}.log"


def stack_environment(
    environ: Mapping[str, str], root: Path, ports: Mapping[str, int]
) -> dict[str, str]:
    """Return the environment of every program: data and state under `root`, and the addresses.

    What the environment names already is kept.
    """
    root = root.absolute()
    defaults = {
        "DATA_DIR": root / "data",
        "DATAGEN_STATE_DIR": root / "state" / "datagen",
        "TRAINER_STATE_DIR": root / "state" / "trainer",
        "SERVING_STATE_DIR": root / "state" / "serving",
        # The page's open replies end before supervisord would kill it.
        "UI_SHUTDOWN_SECONDS": STOP_SECONDS * 2 // 3,
    }
    found = {name: str(value) for name, value in defaults.items()} | dict(environ)
    found |= {name: str(port) for name, port in ports.items()}
    for service in ("DATAGEN", "TRAINER", "SERVING"):
        found[f"{service}_URL"] = f"http://{LOOPBACK}:{ports[f'{service}_PORT']}"
    found["SERVING_CONTROL_URL"] = f"http://{LOOPBACK}:{ports['SERVING_CONTROL_PORT']}"
    return found


def supervisord_conf(places: Places, programs: Sequence[Program]) -> str:
    """Return supervisord's configuration; the environment is inherited, so it holds no secret."""
    head = f"""\
; Written by `tonesmith up` and `tonesmith demo` at each start.
[supervisord]
nodaemon = true
logfile = {quoted(places.logs.absolute() / "supervisord.log")}
logfile_maxbytes = 10MB
pidfile = {quoted(places.embedded.absolute() / "supervisord.pid")}
childlogdir = {quoted(places.logs.absolute())}

[unix_http_server]
file = {quoted(places.socket)}
chmod = 0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""
    return "\n".join([head, *(program_section(places, program) for program in programs)])


def program_section(places: Places, program: Program) -> str:
    """Return the section of one program."""
    return f"""\
[program:{program.name}]
command = {" ".join(quoted(word) for word in tethered(program.command))}
priority = {program.priority}
startsecs = 1
startretries = 2
autorestart = unexpected
stopsignal = TERM
stopwaitsecs = {STOP_SECONDS}
stopasgroup = true
killasgroup = true
redirect_stderr = true
stdout_logfile = {quoted(places.log(program.name).absolute())}
stdout_logfile_maxbytes = 20MB
stdout_logfile_backups = 2
"""


def quoted(word: object) -> str:
    """Return `word` for supervisord's file, where `%` and `;` and blanks have a meaning."""
    text = str(word).replace("%", "%%")
    return f'"{text}"' if any(sign in text for sign in " ;\"'") else text
