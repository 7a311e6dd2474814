"""The trainer on a host with fake GPUs, as a program: runs and GPUs in one target, as in earnest.

    PYTHONPATH=tests python -m fakes.gpu_trainer --folder F --port 8002 --scenario full \\
        [--card 0] [--failpoint fake.waits@20] [--sample 0.1] [--step 0.1]

The app is the real one; its engine is the fake one (`fakes/engine.py`, which knows the faults),
and says that it works on one of the fake GPUs, so that `train_gpu_assigned` has that GPU's uuid.
`gpu_trainer` runs the program for as long as a test needs it.
"""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fakes.nvml import FakeNvml, uuid_of
from fakes.serving_process import free_port
from fakes.trainer_app import make_settings
from kit.logs import configure_logs
from kit.server import serve
from repository import ROOT
from trainer.app import create_app
from trainer.processes import marked

HOST = "127.0.0.1"
SOURCES = ("tests", "libs/contracts/src", "libs/kit/src", "services/trainer/src")
STOP_SECONDS = 30.0


def arguments() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(description="The trainer on fake GPUs, with the fake engine")
    parser.add_argument("--folder", type=Path, required=True, help="for its data; new or empty")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--scenario", default="healthy", help="a file of nvml_scenarios/")
    parser.add_argument("--card", type=int, default=0, help="number of the GPU that runs work on")
    parser.add_argument("--failpoint", default="", help="a fault of the fake engine")
    parser.add_argument("--sample", type=float, default=0.1, help="seconds between GPU samples")
    parser.add_argument("--step", type=float, default=0.1, help="seconds of a step")
    return parser.parse_args()


def main() -> int:
    """Serve until SIGTERM, which stops the engine too."""
    options = arguments()
    options.folder.mkdir(parents=True, exist_ok=True)
    priced = {"gpu_seconds": options.sample, "gpu_hour_dollars": 2.0}
    settings = make_settings(options.folder).model_copy(update=priced)
    environ = {
        "PATH": os.environ["PATH"],
        "FAILPOINT": options.failpoint,
        "TORCH_FAKE_CARD": uuid_of(options.card),
        "TORCH_FAKE_STEP_SECONDS": str(options.step),
    }
    configure_logs("trainer")
    app = create_app(settings, environ, FakeNvml.of(options.scenario))
    serve(app, host=HOST, port=options.port)
    return 0


@dataclass(frozen=True)
class GpuTrainer:
    """The program at work in a folder."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{HOST}:{self.port}"

    def engines(self) -> list[int]:
        """Return the processes of its engine."""
        return marked(f"TONESMITH_ENGINE={(self.folder / 'state' / 'engine').resolve()}")


@contextmanager
def gpu_trainer(folder: Path, *options: str) -> Iterator[GpuTrainer]:
    """Run the program until the end of the block, which nothing of it outlives.

    Args:
        folder: for its data; what it says is beside it, in `<folder>.log`.
        options: all but `--folder` and `--port`.
    """
    trainer = GpuTrainer(folder, free_port())
    place = ("--folder", str(folder), "--port", str(trainer.port))
    paths = os.pathsep.join(str(ROOT / source) for source in SOURCES)
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": paths}
    command = [sys.executable, "-m", "fakes.gpu_trainer", *place, *options]
    with folder.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
    try:
        yield trainer
        process.terminate()
        assert process.wait(STOP_SECONDS) == 0, folder.with_suffix(".log").read_text()
        assert trainer.engines() == []
    finally:
        process.kill()
        process.wait()
        for pid in trainer.engines():
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
