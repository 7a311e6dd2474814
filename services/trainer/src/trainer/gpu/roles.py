"""Whose memory a GPU's is: the trainer's, serving's or somebody else's.

NVML names processes by the pids of the host. In a container with a pid namespace of its own the
same number is another process, so there nothing is looked up: no roles, and nameless processes.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from trainer.gpu.snapshot import ProcessMemory

# The inode of the first pid namespace, `PROC_PID_INIT_INO` of the Linux kernel.
HOST_NAMESPACE = "pid:[4026531836]"
# In the command line of a process: whose it is. vLLM's workers rename themselves `VLLM::...`.
MARKS = {
    "trainer.engine": "trainer",
    "trainer/engine": "trainer",
    "serving.engine": "serving",
    "serving/engine": "serving",
    "vllm": "serving",
}
ROLES = ("trainer", "serving", "other")
REMEMBERED = 1024


class Roles:
    """Looks processes up in `/proc`, each once for as long as it keeps its start time."""

    def __init__(self, top: int = 0, proc: Path = Path("/proc")) -> None:
        self.top = top  # of how many processes of a GPU the memory is told one by one
        self.proc = proc
        self._known: dict[tuple[int, str], tuple[str, str]] = {}
        self._of_host = self._sees_host()

    def _sees_host(self) -> bool:
        try:
            return str((self.proc / "self/ns/pid").readlink()) == HOST_NAMESPACE
        except OSError:
            return False

    def readings(self, processes: Sequence[Any]) -> dict[str, Any]:
        """Return what `nvmlDeviceGetComputeRunningProcesses` answered as readings.

        A process whose memory is not told (`usedGpuMemory` None) counts, and has no bytes.
        """
        found: dict[str, Any] = {"processes": len(processes)}
        told = [(each.pid, each.usedGpuMemory) for each in processes if each.usedGpuMemory]
        if self._of_host:
            found["memory_by_role"] = self._by_role(told)
        largest = sorted(told, key=lambda each: -each[1])[: self.top]
        found["process_memory"] = tuple(
            ProcessMemory(pid, self._process(pid)[0], used) for pid, used in largest
        )
        return found

    def _by_role(self, told: Iterable[tuple[int, int]]) -> dict[str, int]:
        held = dict.fromkeys(ROLES, 0)
        for pid, used in told:
            held[self._process(pid)[1]] += used
        return held

    def _process(self, pid: int) -> tuple[str, str]:
        """Return the name and the role of a process."""
        if not self._of_host:
            return "unknown", "other"
        try:
            # The time it started is field 22; what is before it ends with the last bracket.
            stat = (self.proc / str(pid) / "stat").read_text(errors="replace")
            key = pid, stat.rpartition(")")[2].split()[19]
            if key not in self._known:
                if len(self._known) >= REMEMBERED:
                    self._known.clear()
                self._known[key] = self._look_up(pid)
            return self._known[key]
        except (OSError, IndexError):
            return "unknown", "other"

    def _look_up(self, pid: int) -> tuple[str, str]:
        folder = self.proc / str(pid)
        name = (folder / "comm").read_text(errors="replace").strip()
        line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        text = f"{name} {line}".lower()
        return name, next((role for mark, role in MARKS.items() if mark in text), "other")
