"""How the embedded stack ends processes, and what it shows of their logs."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil

from fakes.embedded import SECONDS
from tonesmith.stack.embedded import end_all, last_lines


def test_process_that_ignores_sigterm_is_killed() -> None:
    """What does not end politely is ended all the same, and told."""
    script = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(); "
    with subprocess.Popen(
        [sys.executable, "-c", script + "time.sleep(60)"], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.readline()
        assert end_all({psutil.Process(process.pid)}, grace=0.1) == [process.pid]
        assert process.wait(SECONDS) == -signal.SIGKILL


def test_last_lines_of_a_log(tmp_path: Path) -> None:
    """The end of the file, as text whatever its bytes; nothing where there is none."""
    (tmp_path / "x.log").write_bytes(b"one\ntwo\xff\nthree\n")
    assert last_lines(tmp_path / "x.log", 2) == "two\ufffd\nthree"
    assert last_lines(tmp_path / "y.log") == ""


def test_lines_of_an_earlier_start_are_left_out(tmp_path: Path) -> None:
    """Unless the file was begun anew meanwhile, for it had grown too large."""
    log = tmp_path / "x.log"
    log.write_text("old\nnew\n")
    assert last_lines(log, since=4) == "new"
    assert last_lines(log, since=400) == "old\nnew"
