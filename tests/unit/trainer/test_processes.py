"""Which processes live, and whose they are."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from trainer.processes import Identity, identity_in, identity_of, kill_marked, lives, marked

STAT = "{pid} (python (x) y) {state} 1 7 7 0 -1 4194560 1 0 0 0 5 1 0 0 20 0 1 0 {started} 9 9"


def proc(folder: Path, *, state: str = "S", started: int = 77, boot: str = "b-1") -> Path:
    """Write the part of /proc that is read of the process 42."""
    (folder / "42").mkdir(exist_ok=True)
    stat = STAT.format(pid=42, state=state, started=started)
    (folder / "42" / "stat").write_text(stat)
    (folder / "sys/kernel/random").mkdir(parents=True, exist_ok=True)
    (folder / "sys/kernel/random/boot_id").write_text(f"{boot}\n")
    return folder


def test_process_is_known_by_number_start_and_boot(tmp_path: Path) -> None:
    """A name may hold blanks and brackets; it is written down and read back whole."""
    found = identity_of(42, proc(tmp_path))
    assert found == Identity(42, 77, "b-1")
    assert identity_in(found.document) == found
    assert lives(found, tmp_path)


def test_number_that_was_given_again_is_another_process(tmp_path: Path) -> None:
    """Started later, or in another boot, or dead: the engine is gone."""
    found = identity_of(42, proc(tmp_path))
    assert found
    assert not lives(found, proc(tmp_path, started=78))
    assert not lives(found, proc(tmp_path, boot="b-2"))
    assert not lives(found, proc(tmp_path, state="Z"))
    assert identity_of(43, tmp_path) is None


def test_document_that_names_nobody_is_nobody() -> None:
    """A file may be missing, half written or of another shape."""
    for document in ({}, {"pid": 1}, {"pid": "x", "started": 1, "boot_id": ""}, {"pid": None}):
        assert identity_in(document) is None


def test_marked_processes_are_found_and_killed(tmp_path: Path) -> None:
    """Also where they have left our session; ours is not among them."""
    mark = f"TEST_MARK={tmp_path}"
    sleep = [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"]
    environ = os.environ | {"TEST_MARK": str(tmp_path)}
    with subprocess.Popen(
        sleep, env=environ, start_new_session=True, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout
        child.stdout.readline()
        assert marked(mark) == [child.pid]
        asyncio.run(kill_marked(mark))
        assert marked(mark) == []
    asyncio.run(kill_marked(mark))
    assert marked("TEST_MARK=x", tmp_path / "no-proc") == []
