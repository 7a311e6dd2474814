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
from trainer.processes import kill_marked

# What an engine needs of our environment; secrets and our own settings stay here.
PASSED = frozenset({"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "FAILPOINT"})
PASSED_PREFIXES = (
    "CUDA_",
    "NVIDIA_",
    "NCCL_",
    "GLOO_",
    "OMP_",
    "MKL_",
    "TORCH_",
    "PYTORCH_",
    "PET_",
)
TORCHRUN = "torch.distributed.run"
SOURCES = Path(__file__).resolve().parents[1]
LOG_TAIL = 16_384  # torchrun's report of failed ranks comes last and is long


class Engine:
    """The engine's Python.

    Args:
        python: TRAINER_ENGINE_PYTHON.
        cache: folder for its caches.
        environ: the service's environment, of which a listed part is passed on.
        processes: how many train together on this machine.
    """

    def __init__(
        self, python: Path, cache: Path, environ: Mapping[str, str], processes: int = 1
    ) -> None:
        self.python = python
        self.cache = cache
        self.environ = environ
        self.processes = processes

    @property
    def mark(self) -> str:
        """What every training process of this service has in its environment, and no other."""
        return f"TONESMITH_ENGINE={self.cache.resolve()}"

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

    @property
    def alone(self) -> bool:
        """Whether one process trains by itself, without torchrun."""
        return launch("", self.processes, self.environ) == [""]

    def clear_cache(self) -> None:
        """Forget the tokenized copies of datasets; each run makes its own."""
        shutil.rmtree(self.cache / "datasets", ignore_errors=True)

    async def start(self, module: str, *arguments: str, log: Path) -> "Child":
        """Start `python -m <module>` to train, as many times as there are processes.

        Its output goes to `log`. A training process of this service that is still there is killed
        first: there are never two. Raises EngineMissingError.
        """
        await self.kill_all()
        name, _, value = self.mark.partition("=")
        with log.open("ab") as output:
            process = await self._spawn(
                *launch(module, self.processes, self.environ),
                *arguments,
                stdout=output,
                stderr=output,
                more={name: value},
            )
        return Child(self, process)

    async def kill_all(self) -> None:
        """Kill every training process of this service, whoever started it."""
        await kill_marked(self.mark)

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
        self, module: str, *arguments: str, more: Mapping[str, str] | None = None, **streams: Any
    ) -> asyncio.subprocess.Process:
        if reason := self.missing():
            raise EngineMissingError(reason)
        command = [str(self.python), "-m", module, *arguments]
        variables = self.variables() | dict(more or {})
        return await asyncio.create_subprocess_exec(
            *command, env=variables, start_new_session=True, **streams
        )


class Child:
    """An engine that this service started: one process, or torchrun and its ranks.

    Args:
        engine: knows what belongs to it.
        process: the one that we started.
    """

    def __init__(self, engine: Engine, process: asyncio.subprocess.Process) -> None:
        self.engine = engine
        self.process = process

    async def wait(self) -> int:
        """Wait until it ends; return its exit status, negative where a signal killed it."""
        return await self.process.wait()

    async def kill(self) -> None:
        """Kill it and everything that it started; no error if it is gone."""
        await kill_group(self.process)
        # torchrun's ranks lead sessions of their own: the group's signal does not reach them.
        await self.engine.kill_all()


def launch(module: str, processes: int, environ: Mapping[str, str]) -> list[str]:
    """Return what follows `python -m` to train with so many processes.

    PET_* (Kubeflow Trainer's names of torchrun's options) set how several machines meet; then
    torchrun reads them itself, and only the number of processes is ours where they do not say it.
    """
    many = [name for name in environ if name.startswith("PET_")]
    if not many and processes == 1:
        return [module]
    count = [] if "PET_NPROC_PER_NODE" in many else ["--nproc-per-node", str(processes)]
    return [TORCHRUN, *([] if many else ["--standalone"]), *count, "-m", module]


async def kill_group(process: asyncio.subprocess.Process) -> None:
    """Kill a process and everything that it started, and wait for it; no error if it is gone."""
    if process.returncode is None:
        with suppress(ProcessLookupError):  # it ended between the look and the kill
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def log_tail(log: Path, since: int = 0) -> list[str]:
    """Return the last lines of a log, those that say something, from the byte `since` on."""
    if not log.exists():
        return []
    with log.open("rb") as file:
        file.seek(max(since, log.stat().st_size - LOG_TAIL))
        lines = file.read().decode(errors="replace").splitlines()
    return [line.strip() for line in lines if line.strip()]
