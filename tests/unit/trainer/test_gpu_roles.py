"""Whose memory it is: by the command line, and only where pids are the host's."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from trainer.gpu.roles import HOST_NAMESPACE, Roles
from trainer.gpu.snapshot import ProcessMemory

GIB = 1 << 30
STAT = "{pid} (a ) b) S " + "0 " * 18 + "777 0 0\n"


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A `/proc` with a trainer, a vLLM worker that renamed itself, and a stranger."""
    (tmp_path / "self/ns").mkdir(parents=True)
    (tmp_path / "self/ns/pid").symlink_to(HOST_NAMESPACE)
    process(tmp_path, 10, "python", b"python\0-m\0trainer.engine.run\0run\0")
    process(tmp_path, 11, "VLLM::EngineCor", b"VLLM::EngineCore\0")
    process(tmp_path, 12, "blender", b"blender\0")
    return tmp_path


def process(proc: Path, pid: int, name: str, line: bytes) -> None:
    """Add a process."""
    folder = proc / str(pid)
    folder.mkdir(exist_ok=True)
    (folder / "comm").write_text(name + "\n")
    (folder / "cmdline").write_bytes(line)
    (folder / "stat").write_text(STAT.format(pid=pid))


def told(*pairs: tuple[int, int | None]) -> list[SimpleNamespace]:
    """Return processes as the library tells them."""
    return [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in pairs]


def test_memory_is_told_by_role(proc: Path) -> None:
    """The trainer's, serving's, and whoever else's."""
    found = Roles(proc=proc).readings(told((10, 5 * GIB), (11, 7 * GIB), (12, GIB), (99, GIB)))
    assert found["memory_by_role"] == {"trainer": 5 * GIB, "serving": 7 * GIB, "other": 2 * GIB}
    assert found["processes"] == 4
    assert found["process_memory"] == ()


def test_process_without_told_memory_counts_and_has_no_bytes(proc: Path) -> None:
    """Without privileges the driver tells pids only."""
    found = Roles(top=5, proc=proc).readings(told((10, None)))
    assert found["processes"] == 1
    assert found["memory_by_role"] == {"trainer": 0, "serving": 0, "other": 0}
    assert found["process_memory"] == ()


def test_largest_processes_are_told_where_asked_for(proc: Path) -> None:
    """So many and no more: each pid is a series."""
    found = Roles(top=2, proc=proc).readings(told((12, GIB), (10, 5 * GIB), (11, 7 * GIB)))
    assert found["process_memory"] == (
        ProcessMemory(11, "VLLM::EngineCor", 7 * GIB),
        ProcessMemory(10, "python", 5 * GIB),
    )


def test_pid_that_is_used_again_is_looked_up_again(proc: Path) -> None:
    """A process is known by its pid and the time it started."""
    roles = Roles(proc=proc)
    assert roles.readings(told((12, GIB)))["memory_by_role"]["other"] == GIB
    process(proc, 12, "python", b"python\0-m\0serving.engine.entry\0")
    (proc / "12/stat").write_text(STAT.format(pid=12).replace("777", "778"))
    assert roles.readings(told((12, GIB)))["memory_by_role"]["serving"] == GIB


def test_nothing_is_looked_up_in_a_pid_namespace_of_its_own(proc: Path) -> None:
    """The host's pid 10 is another process there: rather no role than a wrong one."""
    (proc / "self/ns/pid").unlink()
    (proc / "self/ns/pid").symlink_to("pid:[4026532000]")
    found = Roles(top=1, proc=proc).readings(told((10, GIB)))
    assert "memory_by_role" not in found
    assert found["process_memory"] == (ProcessMemory(10, "unknown", GIB),)
