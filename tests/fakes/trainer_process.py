"""Run `python -m trainer` as a process of its own, so that a test can kill it and nothing else."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from contracts.job import Job, JobState
from contracts.volume import Volume
from fakes.serving_process import free_port
from fakes.training import DATASET
from repository import ROOT
from trainer.config import Settings
from trainer.processes import environment, marked
from trainer.runfolder import RunFolder

SOURCES = ("libs/contracts/src", "libs/kit/src", "services/trainer/src")
PATIENCE_SECONDS = 60.0


class TrainerProcess:
    """A trainer on a port of its own; use it in `with`, which leaves no engine behind.

    Args:
        settings: of the app in the same folders.
        environ: further variables; the engine inherits what it may.
    """

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        # One for all questions, and a connection for each: the service is killed now and then.
        limits = httpx.Limits(max_keepalive_connections=0)
        self.http = httpx.Client(base_url=self.url, limits=limits, trust_env=False, verify=False)
        self.mark = f"TONESMITH_ENGINE={(settings.state_dir / 'engine').resolve()}"
        self.volume = Volume(settings.data_dir)
        self.log = settings.state_dir.parent / "trainer.log"
        self.patience_seconds = PATIENCE_SECONDS
        self.process: subprocess.Popen[bytes] | None = None
        self.environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(str(ROOT / source) for source in SOURCES),
            "DATA_DIR": str(settings.data_dir),
            "MODELS_DIR": str(settings.models_dir),
            "TRAINER_STATE_DIR": str(settings.state_dir),
            "TRAINER_ENGINE_PYTHON": str(settings.engine_python),
            "TRAINER_PORT": str(self.port),
            "TRAINER_RESERVE_BYTES": "0",
            **environ,
        }

    def __enter__(self) -> "TrainerProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        for pid in marked(self.mark):
            os.kill(pid, signal.SIGKILL)
        self.http.close()

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "trainer"]
            self.process = subprocess.Popen(command, env=self.environ, stdout=log, stderr=log)
        self.until(self.answers)

    @property
    def pid(self) -> int:
        """The service's own process."""
        assert self.process
        return self.process.pid

    def answers(self) -> bool:
        """Return whether it is well."""
        assert self.process
        assert self.process.poll() is None, self.log.read_text()[-2000:]
        try:
            return self.http.get("/health").status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """Kill the service, and nothing else."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Stop the service as an operator does; return its exit status."""
        return self._end(signal.SIGTERM)

    def _end(self, number: int) -> int:
        if not self.process:
            return 0
        self.process.send_signal(number)
        status = self.process.wait(PATIENCE_SECONDS)
        self.process = None
        return status

    def submit(self, **body: Any) -> RunFolder:
        """Ask for a run and return its folder."""
        answer = self.http.post("/runs", json={"dataset_id": DATASET} | body)
        assert answer.status_code == 202, answer.text
        return RunFolder(self.volume, answer.json()["id"])

    def states(self) -> list[JobState]:
        """Return the states of all runs, newest first."""
        jobs = self.http.get("/runs/jobs").json()
        return [Job.model_validate(job).state for job in jobs]

    def folders(self) -> list[RunFolder]:
        """Return the folders of all runs."""
        jobs = self.http.get("/runs/jobs").json()
        return [RunFolder(self.volume, job["id"]) for job in jobs]

    def job(self, run_id: str) -> Job:
        """Return the job of a run."""
        return Job.model_validate(self.http.get(f"/runs/jobs/{run_id}").json())

    def cancel(self, run_id: str) -> None:
        """Ask a run to stop."""
        assert self.http.post(f"/runs/jobs/{run_id}/cancel").status_code == 202

    def finished(self, run_id: str) -> Job:
        """Wait for the end of a run and return its job."""
        self.until(lambda: self.job(run_id).state.final)
        return self.job(run_id)

    def until(self, true: Callable[[], Any]) -> None:
        """Wait for a condition, or fail."""
        deadline = time.monotonic() + self.patience_seconds
        while not true():
            assert time.monotonic() < deadline, self.log.read_text()[-2000:]
            time.sleep(0.03)

    def pause(self, seconds: float) -> None:
        """Let it work for a while."""
        time.sleep(seconds)

    def processes(self) -> list[int]:
        """Return all processes of its engines, torchrun's too."""
        return marked(self.mark)

    def zombies(self) -> list[int]:
        """Return the dead children that the service has not buried."""
        assert self.process
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text(errors="replace").rsplit(")", 1)[1].split()
            except OSError:
                continue
            if fields[0] == "Z" and int(fields[1]) == self.process.pid:
                found.append(int(stat.parent.name))
        return found

    def engines(self) -> list[int]:
        """Return the processes that train now; torchrun and a shell before its `exec` are none."""
        return [pid for pid in marked(self.mark) if b"RANK=0" in environment(pid) or alone(pid)]


def alone(pid: int) -> bool:
    """Return whether a process is an engine that trains without torchrun."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b"trainer.engine.run" in command and b"torch.distributed.run" not in command


class Census:
    """Counts the engines of a trainer all the time that a `with` takes."""

    def __init__(self, trainer: TrainerProcess) -> None:
        self.trainer = trainer
        self.most = 0
        self.looks = 0
        self.pids: set[int] = set()
        self.leaving = threading.Event()
        self.thread = threading.Thread(target=self.count, daemon=True)

    def __enter__(self) -> "Census":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.leaving.set()
        self.thread.join()

    def count(self) -> None:
        """Look every few milliseconds."""
        while not self.leaving.wait(0.03):
            found = self.trainer.engines()
            self.pids.update(found)
            self.most = max(self.most, len(found))
            self.looks += 1
