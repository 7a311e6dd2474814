"""Start, watch and stop programs in the engine's environment."""

import asyncio
import json
import os
import shutil
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from trainer.errors import EngineMissingError

# What an engine needs of our environment; secrets and our own settings stay here.
PASSED = frozenset({"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "FAILPOINT"})
PASSED_PREFIXES = ("CUDA_", "NVIDIA_", "NCCL_", "OMP_", "MKL_", "TORCH_", "PYTORCH_")
SOURCES = Path(__file__).resolve().parents[1]
LOG_TAIL = 4096


class Engine:
    """The engine's Python.

    Args:
        python: TRAINER_ENGINE_PYTHON.
        cache: folder for its caches.
        environ: the service's environment, of which a listed part is passed on.
    """

    def __init__(self, python: Path, cache: Path, environ: Mapping[str, str]) -> None:
        self.python = python
        self.cache = cache
        self.environ = environ

    def missing(self) -> str:
        """Return why no engine can be started, or nothing."""
        if os.access(self.python, os.X_OK):
            return ""
        return "TRAINER_ENGINE_PYTHON names no Python: run `make engines`"

    def variables(self) -> dict[str, str]:
        """Return the environment of an engine process."""
        passed = {
            name: value
            for name, value in self.environ.items()
            if name in PASSED or name.startswith(PASSED_PREFIXES)
        }
        return {
            # On busy cores a spinning thread keeps the one that it waits for from running:
            # measured three times slower with two other processes on two cores.
            "OMP_WAIT_POLICY": "PASSIVE",
            **passed,
            "PYTHONPATH": str(SOURCES),
            "PYTHONUNBUFFERED": "1",
            "HF_HOME": str(self.cache.resolve()),
            "HF_HUB_OFFLINE": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "TOKENIZERS_PARALLELISM": "false",
            "TONESMITH_PARENT": str(os.getpid()),
        }

    def clear_cache(self) -> None:
        """Forget the tokenized copies of datasets; each run makes its own."""
        shutil.rmtree(self.cache / "datasets", ignore_errors=True)

    async def start(self, module: str, *arguments: str, log: Path) -> asyncio.subprocess.Process:
        """Start `python -m <module>` in a process group of its own; its output goes to `log`.

        Raises EngineMissingError.
        """
        with log.open("ab") as output:
            return await self._spawn(module, *arguments, stdout=output, stderr=output)

    async def ask(self, module: str, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Run a module that reads a JSON request and prints a JSON report; return the report.

        Raises EngineMissingError, TimeoutError, ValueError with the program's last words.
        """
        process = await self._spawn(
            module,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            talk = process.communicate(json.dumps(request).encode())
            output, noise = await asyncio.wait_for(talk, seconds)
        finally:
            await kill_group(process)
        if process.returncode:
            raise ValueError(noise.decode(errors="replace").strip().rsplit("\n", 1)[-1][:500])
        report = json.loads(output)
        return report if isinstance(report, dict) else {}

    async def _spawn(
        self, module: str, *arguments: str, **streams: Any
    ) -> asyncio.subprocess.Process:
        if reason := self.missing():
            raise EngineMissingError(reason)
        command = [str(self.python), "-m", module, *arguments]
        return await asyncio.create_subprocess_exec(
            *command, env=self.variables(), start_new_session=True, **streams
        )


async def kill_group(process: asyncio.subprocess.Process) -> None:
    """Kill a process and everything that it started, and wait for it; no error if it is gone."""
    if process.returncode is None:
        with suppress(ProcessLookupError):  # it ended between the look and the kill
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def last_words(log: Path) -> str:
    """Return the last line of a log that says something."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LOG_TAIL))
        lines = file.read().decode(errors="replace").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
