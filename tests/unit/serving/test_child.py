"""The engine's process: watched, stopped, never left behind."""

import asyncio
import sys
from pathlib import Path

import psutil
import pytest

from serving.child import EngineChild, group_runs

STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


async def started(code: str, tmp_path: Path) -> EngineChild:
    """Start a Python program."""
    return await EngineChild.start([sys.executable, "-c", code], {}, tmp_path)


async def first_line(child: EngineChild) -> str:
    """Wait for what the program says first."""
    async with asyncio.timeout(60):
        while not child.lines:  # noqa: ASYNC110 the pump fills it
            await asyncio.sleep(0.01)
    return child.lines[0]


async def test_reason_is_the_last_error_line(tmp_path: Path) -> None:
    """Of a longer output, the line that tells why it ended; bytes that are no text do not hurt."""
    code = "import sys; print('a'); sys.stdout.buffer.write(b'\\xff'*5000 + b'\\n'); "
    code += "sys.stdout.flush(); raise SystemExit('ValueError: no room')"
    child = await started(code, tmp_path)
    await child.process.wait()
    assert child.exited
    assert await child.stop(10) == 1
    assert child.reason == "vLLM ended with code 1: ValueError: no room"


async def test_program_that_obeys_ends_by_itself(tmp_path: Path) -> None:
    """SIGTERM is enough."""
    child = await started("import time; print('up', flush=True); time.sleep(60)", tmp_path)
    await first_line(child)
    assert await child.stop(10) == -15


async def test_whole_group_is_killed_when_it_does_not_obey(tmp_path: Path) -> None:
    """After the grace nothing of it is left: its own children neither."""
    child = await started(STUBBORN, tmp_path)
    grandchild = psutil.Process(int(await first_line(child)))
    assert await child.stop(0.05) == -9
    assert not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize(
    ("line", "runs"),
    [
        ("7 (a) b) S 1 42 42 0", True),
        ("7 (vllm) D 1 42 42 0", True),
        ("7 (vllm) Z 1 42 42 0", False),
        ("7 (vllm) S 1 41 42 0", False),
    ],
)
def test_group_runs_while_a_process_of_it_is_alive(tmp_path: Path, line: str, runs: bool) -> None:
    """One that is dead and not yet reaped holds no memory; a name may hold anything."""
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "stat").write_text(line)
    (tmp_path / "8").mkdir()  # ended between the look and the read
    assert group_runs(42, tmp_path) is runs


async def test_missing_program_is_an_os_error(tmp_path: Path) -> None:
    """The launcher says so instead of waiting for it."""
    with pytest.raises(OSError, match="nowhere"):
        await EngineChild.start(["/nowhere/python"], {}, tmp_path)
