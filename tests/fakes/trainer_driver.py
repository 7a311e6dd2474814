"""Drive the trainer's app in a process of its own, so that a test can kill it.

`start` begins a run, prints its id and the engine's process once a checkpoint is sealed, and goes
on; `finish` opens the same folders again, waits for the run and prints how it ended.
"""

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fastapi.testclient import TestClient

from contracts.volume import Volume
from fakes.trainer_app import follow
from fakes.training import DATASET
from trainer.app import create_app
from trainer.config import Settings
from trainer.engine.checkpoints import newest_sealed_step
from trainer.runfolder import RunFolder

OVERRIDES = {"max_steps": 24, "save_steps": 3}


def start(client: TestClient, volume: Volume) -> None:
    """Begin a run and never end."""
    body = {"dataset_id": DATASET, "overrides": OVERRIDES}
    folder = RunFolder(volume, client.post("/runs", json=body).json()["id"])
    while not newest_sealed_step(folder.checkpoints):
        time.sleep(0.01)
    sys.stdout.write(f"{folder.run_id} {folder.rank()['pid']}\n")
    sys.stdout.flush()
    time.sleep(60)


def finish(client: TestClient, volume: Volume) -> None:
    """Wait for the run that was begun."""
    run = client.get("/runs").json()[0]["id"]
    job = follow(client, f"/runs/jobs/{run}")
    resumed = "resumed" if volume.run_record(run).resumed_from else "from-the-start"
    sys.stdout.write(f"{run} {job.state} {resumed}\n")


if __name__ == "__main__":
    settings = Settings.from_environ(os.environ)
    with TestClient(create_app(settings, os.environ)) as client:
        (start if sys.argv[1] == "start" else finish)(client, Volume(settings.data_dir))
