"""A command that dies with its parent."""

import subprocess
import sys
import time

import psutil

from repository import ROOT
from tonesmith.stack.embedded import living
from tonesmith.stack.tether import tethered

PARENT = """
import subprocess, sys
child = subprocess.Popen(sys.argv[1:])
print(child.pid, flush=True)
child.wait()
"""
ENVIRON = {"PYTHONPATH": str(ROOT / "cli" / "src")}


def test_command_ends_when_its_parent_is_killed() -> None:
    """The kernel tells it, so that even kill -9 of the parent leaves nothing."""
    command = tethered(["sleep", "600"])
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, *command], stdout=subprocess.PIPE, env=ENVIRON
    ) as parent:
        assert parent.stdout
        child = psutil.Process(int(parent.stdout.readline()))
        while "sleep" not in child.name():
            time.sleep(0.01)
        parent.kill()
    deadline = time.monotonic() + 60
    while living(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not living(child)


def test_command_does_not_start_for_another_parent() -> None:
    """The parent may die before the request is made; then nothing is started."""
    done = subprocess.run(
        tethered(["echo", "started"], parent=1), capture_output=True, env=ENVIRON, check=False
    )
    assert (done.returncode, done.stdout) == (1, b"")


def test_command_becomes_the_process() -> None:
    """Arguments and exit code are the command's own."""
    done = subprocess.run(
        tethered([sys.executable, "-c", "import sys; sys.exit(7)"]), check=False, env=ENVIRON
    )
    assert done.returncode == 7
