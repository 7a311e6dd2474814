"""Edit the users file: `python -m ui.users add NAME` (also `remove NAME`, `list`).

The file is `--file`, else UI_USERS_FILE. The password is asked for twice, or is one line of the
standard input. The file is replaced as a whole; a new one is for its owner only (0600). A person
whose password changes, or who is removed, is logged out everywhere.
"""

import argparse
import fcntl
import getpass
import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from contracts.durable import fsync_directory
from contracts.model import check_name
from ui.access.accounts import PASSWORD_LENGTH, hashed, parsed, reason

SHORTEST = 10
MODE = 0o600


class UsersError(ValueError):
    """The file stays as it was; the message says why."""


def main(arguments: list[str], environ: Mapping[str, str], given: TextIO) -> int:
    """Do what is asked; return the exit status (2: it could not be done, and nothing changed)."""
    options = parser().parse_args(arguments)
    path = options.file or environ.get("UI_USERS_FILE")
    try:
        if not path:
            raise UsersError("name the file: --file PATH, or UI_USERS_FILE")
        said = run(options.command, Path(path), getattr(options, "name", ""), given)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"ui.users: {reason(error)}\n")
        return 2
    sys.stdout.write(said)
    return 0


def parser() -> argparse.ArgumentParser:
    """Return what the command line takes."""
    found = argparse.ArgumentParser(prog="python -m ui.users", description=__doc__)
    found.add_argument("--file", help="the users file; by default UI_USERS_FILE")
    commands = found.add_subparsers(dest="command", required=True)
    for name, said in (("add", "a person, or a new password"), ("remove", "a person")):
        commands.add_parser(name, help=said).add_argument("name", metavar="NAME")
    commands.add_parser("list", help="every name")
    return found


def run(command: str, path: Path, name: str, given: TextIO) -> str:
    """Run one command on the file; return what to say. Raises UsersError, ValueError, OSError."""
    if command == "list":
        return "".join(f"{known}\n" for known in sorted(parsed(path.read_text(encoding="utf-8"))))
    if command == "add":
        check_name(name)
        password = str(hashed(asked_password(given)))
        replace_line(path, name, f"{name}:{password}")
        return f"{name} may log in\n"
    replace_line(path, name, None)
    return f"{name} may not log in any more\n"


def asked_password(given: TextIO) -> str:
    """Return a new password, from a person or from a pipe. Raises UsersError."""
    if given.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Once more: ") != password:
            raise UsersError("the two passwords differ")
    else:
        password = given.readline().rstrip("\r\n")
    if not SHORTEST <= len(password) <= PASSWORD_LENGTH:
        raise UsersError(f"a password has {SHORTEST} to {PASSWORD_LENGTH} characters")
    return password


def replace_line(path: Path, name: str, line: str | None) -> None:
    """Put a person's line into the file, or take it out; all else stays as it is.

    Raises UsersError where there is nobody to take out, ValueError where the file is broken.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with alone(path.parent):
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        people = parsed(text)
        if line is None and name not in people:
            raise UsersError(f"{name} is not in {path.name}; known: {', '.join(sorted(people))}")
        lines = [kept for kept in text.splitlines() if kept.strip().partition(":")[0] != name]
        write(path, "".join(f"{kept}\n" for kept in [*lines, *([line] if line else [])]))


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: two who edit at once must not lose a line."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write(path: Path, text: str) -> None:
    """Replace the file as a whole; its mode stays, a new one is for its owner only."""
    mode = path.stat().st_mode & 0o777 if path.exists() else MODE
    staged = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    descriptor = os.open(staged, os.O_CREAT | os.O_EXCL | os.O_WRONLY, MODE)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        staged.chmod(mode)
        staged.replace(path)
    finally:
        staged.unlink(missing_ok=True)
    fsync_directory(path.parent)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ, sys.stdin))
