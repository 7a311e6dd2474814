"""Two engines never work on one run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from repository import ROOT
from trainer.engine.occupancy import BUSY, BusyError, Occupancy, started, write_identity

TRY = """
import sys
from pathlib import Path
from trainer.engine.occupancy import BUSY, BusyError, Occupancy
try: Occupancy(Path(sys.argv[1]))
except BusyError: sys.exit(BUSY)
"""


def try_elsewhere(folder: Path) -> int:
    """Return how another process ends that wants the run."""
    environ = {"PYTHONPATH": str(ROOT / "services/trainer/src")}
    command = [sys.executable, "-c", TRY, str(folder)]
    return subprocess.run(command, env=environ, check=False).returncode


def test_second_engine_is_turned_away_until_the_first_is_gone(tmp_path: Path) -> None:
    """The lock is the kernel's: it goes with the process, whatever became of it."""
    first = Occupancy(tmp_path)
    assert try_elsewhere(tmp_path) == BUSY
    with pytest.raises(BusyError, match=tmp_path.name):
        Occupancy(tmp_path)
    first.release()
    first.release()
    assert try_elsewhere(tmp_path) == 0


def test_forked_child_does_not_keep_the_lock(tmp_path: Path) -> None:
    """A worker of the engine that outlives it would bar the way to the next one."""
    program = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from trainer.engine.occupancy import Occupancy\n"
        "Occupancy(Path(sys.argv[1]))\n"
        "if os.fork() == 0: print(1, flush=True); time.sleep(30)\n"  # its end of the fork is over
        "os._exit(0)\n"
    )
    environ = {"PYTHONPATH": str(ROOT / "services/trainer/src")}
    command = [sys.executable, "-c", program, str(tmp_path)]
    done = subprocess.Popen(command, env=environ, start_new_session=True, stdout=subprocess.PIPE)
    try:
        assert done.stdout is not None
        assert done.stdout.readline() == b"1\n"
        done.wait()
        assert try_elsewhere(tmp_path) == 0
    finally:
        done.stdout.close() if done.stdout else None
        os.killpg(done.pid, 9)


def test_identity_tells_this_process_from_a_later_one_of_the_same_number(tmp_path: Path) -> None:
    """Number, start and boot together are unique."""
    write_identity(tmp_path / "engine.pid")
    identity = json.loads((tmp_path / "engine.pid").read_text())
    assert identity["pid"] == os.getpid()
    assert identity["started"] == started(os.getpid())
    assert identity["group"] == os.getpgrp()
    assert identity["boot_id"]


def test_process_that_is_gone_has_no_start(tmp_path: Path) -> None:
    """Neither has a zombie: it does nothing any more."""
    assert started(0) is None
    stat = tmp_path / "7" / "stat"
    stat.parent.mkdir()
    stat.write_text("7 (a ) b) Z " + " ".join(map(str, range(4, 52))))
    assert started(7, tmp_path) is None
    stat.write_text("7 (a ) b) S " + " ".join(map(str, range(4, 52))))
    assert started(7, tmp_path) == 22
