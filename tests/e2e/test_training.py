"""The real LLaMA-Factory: a run to its promotion, refusals, and kills at the worst moments."""

import json
import os
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from contracts.artefact import ModelManifest
from contracts.durable import file_digest
from contracts.job import Job, JobState
from contracts.volume import Volume, write_document
from fakes.trainer_app import follow
from fakes.training import DATASET, expect_whole_run, publish_rows
from repository import ROOT
from trainer.app import create_app
from trainer.config import Settings
from trainer.engine.checkpoints import newest_sealed_step
from trainer.runfolder import RunFolder

pytestmark = pytest.mark.engines
STARTER = ROOT / "services/trainer/bases/starter"
KILLS = int(os.environ.get("E2E_KILLS", "20"))
SAVING = [
    "ckpt.after_model",
    "ckpt.after_optimizer",
    "ckpt.before_manifest",
    "ckpt.after_model",
    "ckpt.after_optimizer",
]
SAVE_STEPS = 4
SEED = int(os.environ.get("E2E_SEED", "20260101"))
PATIENCE_SECONDS = 300.0


def engine_python() -> Path:
    """Return the interpreter of LLaMA-Factory's environment."""
    found = os.environ.get("TRAINER_ENGINE_PYTHON")
    assert found, "TRAINER_ENGINE_PYTHON names the environment of LLaMA-Factory (make engines)"
    return Path(found).absolute()


@dataclass
class Trainer:
    """The trainer's app with the real engine; `environ` is what the engine inherits."""

    client: TestClient
    volume: Volume
    environ: dict[str, str]

    def start(self, **overrides: Any) -> str:
        """Start a run on the tiny base and return its id."""
        body = {
            "dataset_id": DATASET,
            "base_model": "tiny",
            "overrides": overrides,
            "stop_when_flat": False,
        }
        answer = self.client.post("/runs", json=body)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def wait(self, path: str) -> Job:
        """Return the job once it is final."""
        return follow(self.client, path)

    def promote(self, model_id: str) -> Job:
        """Ask for a promotion and return its job once it is final."""
        job = self.client.post(f"/models/{model_id}/promote").json()
        return self.wait(f"/promotions/jobs/{job['id']}")


@pytest.fixture(scope="module")
def trainer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trainer]:
    """One app for the module: a random two-layer base, the starter, and a dataset."""
    folder = tmp_path_factory.mktemp("training")
    bases = folder / "bases"
    command = [str(engine_python()), str(ROOT / "tests/e2e/tiny_base.py"), str(bases / "tiny")]
    subprocess.run(command, check=True, capture_output=True)
    (bases / "starter").symlink_to(STARTER)
    settings = Settings(
        data_dir=folder / "data",
        state_dir=folder / "state",
        models_dir=bases,
        engine_python=engine_python(),
        reserve_bytes=0,
        reply_tokens=12,
    )
    volume = Volume(settings.data_dir)
    publish_rows(volume)
    environ = {"PATH": os.environ["PATH"]}
    with TestClient(create_app(settings, environ)) as client:
        yield Trainer(client, volume, environ)


@pytest.fixture(scope="module")
def model(trainer: Trainer) -> ModelManifest:
    """A model that the real engine trained on the starter."""
    body = {"dataset_id": DATASET, "overrides": {"max_steps": 8, "save_steps": 4}}
    run = trainer.client.post("/runs", json=body).json()["id"]
    job = trainer.wait(f"/runs/jobs/{run}")
    assert job.state is JobState.DONE, job.error
    return expect_whole_run(trainer.volume, run)


def test_adapter_of_the_starter_is_promoted(trainer: Trainer, model: ModelManifest) -> None:
    """Train, export, gate, publish, promote: the alias answers with the new version."""
    assert model.engine.llamafactory == "0.9.5"
    assert any(golden.reply_ids for golden in model.golden)
    job = trainer.promote(model.id)
    assert job.state is JobState.DONE, job.error
    assert job.result["served_name"] == "tonesmith.v1"
    assert trainer.client.get("/current").json()["aliases"] == {"tonesmith": 1}


def altered_template(folder: Path, manifest: ModelManifest) -> None:
    """Change one character of the chat template."""
    path = folder / "chat_template.jinja"
    path.write_text(path.read_text(encoding="utf-8").replace("assistant", "assistent", 1))


def altered_template_and_hash(folder: Path, manifest: ModelManifest) -> None:
    """Change one character of the chat template, and the hash in the manifest with it."""
    altered_template(folder, manifest)
    digest = file_digest(folder / "chat_template.jinja")
    files = manifest.files | {"chat_template.jinja": digest}
    changes = {"files": files, "chat_template_sha256": digest.sha256}
    write_document(folder / "manifest.json", manifest.model_copy(update=changes))


def truncated_weights(folder: Path, manifest: ModelManifest) -> None:
    """Cut the adapter's weights in half."""
    path = folder / "adapter_model.safetensors"
    os.truncate(path, path.stat().st_size // 2)


def altered_tokenizer_and_hash(folder: Path, manifest: ModelManifest) -> None:
    """Give the end token another name, and the manifest the hash of that."""
    path = folder / "tokenizer_config.json"
    text = path.read_text(encoding="utf-8").replace("<|im_end|>", "<|endoftext|>")
    path.write_text(text, encoding="utf-8")
    files = manifest.files | {"tokenizer_config.json": file_digest(path)}
    write_document(folder / "manifest.json", manifest.model_copy(update={"files": files}))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (altered_template, "assistent"),
        (altered_template_and_hash, "+{{- '<|im_start|>assistent"),
        (truncated_weights, "adapter_model.safetensors: "),
        (altered_tokenizer_and_hash, "the tokenizer says '<|endoftext|>'"),
    ],
)
def test_damaged_model_is_refused_with_the_difference(
    trainer: Trainer,
    model: ModelManifest,
    damage: Callable[[Path, ModelManifest], None],
    words: str,
    tmp_path: Path,
) -> None:
    """A model that is not what was trained stays out; what is served does not change."""
    folder = trainer.volume.model(model.id)
    before = trainer.client.get("/current").json()
    subprocess.run(["cp", "-a", str(folder), str(tmp_path / "whole")], check=True)
    damage(folder, model)
    try:
        job = trainer.promote(model.id)
        assert job.state is JobState.FAILED
        assert job.error is not None
        assert job.error.code == "gate_refused"
        assert words in job.error.message
        assert trainer.client.get("/current").json() == before
    finally:
        subprocess.run(["rm", "-r", str(folder)], check=True)
        subprocess.run(["cp", "-a", str(tmp_path / "whole"), str(folder)], check=True)


def test_killed_run_ends_as_the_uninterrupted_one(trainer: Trainer) -> None:
    """kill -9 of the training, some of them while a checkpoint is written, changes nothing."""
    overrides = {"max_steps": SAVE_STEPS * (2 * KILLS + 2), "save_steps": SAVE_STEPS}
    whole = trainer.start(**overrides)
    assert trainer.wait(f"/runs/jobs/{whole}").state is JobState.DONE
    chance = random.Random(SEED)
    plan = [*SAVING, *["" for _ in range(KILLS)]][:KILLS]
    chance.shuffle(plan)
    trainer.environ["FAILPOINT"] = failpoint(plan[0])
    killed = trainer.start(**overrides)
    pids = kill_along(trainer, RunFolder(trainer.volume, killed), plan, chance)
    job = trainer.wait(f"/runs/jobs/{killed}")
    assert job.state is JobState.DONE, (job.error, SEED)
    assert len(pids) == KILLS
    expect_whole_run(trainer.volume, killed)
    quarantined = (trainer.volume.run(killed) / "checkpoints").glob("quarantined-*")
    assert len(list(quarantined)) >= len([place for place in plan if place])
    for left, right in zip(
        losses(trainer.volume, whole), losses(trainer.volume, killed), strict=True
    ):
        assert right == pytest.approx(left, abs=1e-6)
    assert weights(trainer.volume, killed) == weights(trainer.volume, whole)


def failpoint(place: str) -> str:
    """Return the FAILPOINT that dies at a place of the second save, so that each start gets on."""
    return f"{place}@2" if place else ""


def kill_along(
    trainer: Trainer, folder: RunFolder, plan: list[str], chance: random.Random
) -> set[int]:
    """Kill the engine once for each entry of `plan`: there, or at random after a new checkpoint.

    Returns the processes that died.
    """
    dead: set[int] = set()
    for number, place in enumerate(plan):
        until(lambda: folder.rank().get("pid", 0) not in dead | {0})
        pid = folder.rank()["pid"]
        sealed = newest_sealed_step(folder.checkpoints)
        # Read when the next engine starts, and never by the one that runs now.
        trainer.environ["FAILPOINT"] = failpoint([*plan, ""][number + 1])
        if not place:
            until(lambda sealed=sealed: newest_sealed_step(folder.checkpoints) > sealed)
            time.sleep(chance.uniform(0, 0.2))
            os.kill(pid, 9)
        until(lambda pid=pid: not Path(f"/proc/{pid}").exists())
        dead.add(pid)
    return dead


def until(true: Callable[[], bool]) -> None:
    """Wait for a condition, or fail."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, f"nothing happened (seed {SEED})"
        time.sleep(0.02)


def losses(volume: Volume, run: str) -> list[float]:
    """Return every logged loss, in the order of the steps."""
    lines = (volume.run(run) / "events.jsonl").read_text(encoding="utf-8").splitlines()
    events = [json.loads(line) for line in lines]
    return [event["figures"]["loss"] for event in events if event["kind"] == "log"]


def weights(volume: Volume, run: str) -> str:
    """Return the hash of the weights that a run ended with."""
    return volume.model_manifest(run).files["adapter_model.safetensors"].sha256
