"""The real LLaMA-Factory: an adapter that goes on with DPO or KTO keeps closer to its styles."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from contracts.artefact import ModelManifest
from contracts.dataset import Conditioning, Counts
from contracts.job import JobState
from contracts.style import StyleVersion
from contracts.volume import Volume
from datagen.classifier import Labelled, StyleClassifier
from datagen.publish import Description, publish_dataset
from fakes.styled_dataset import STYLES, samples
from fakes.trainer_app import follow
from repository import ROOT
from trainer.app import create_app
from trainer.config import Settings
from trainer.runfolder import RunFolder

pytestmark = pytest.mark.engines
BASES = ROOT / "services/trainer/bases"
PROBE = ROOT / "tests/e2e/preference_probe.py"
DATASET = "styled-20260101-00000c"
# Until the styles are settled: after 24 steps two replies of 32 turn by chance.
CHATS = {"max_steps": 72, "save_steps": 72, "eval_steps": 72}
PAIRS = {"max_steps": 12, "save_steps": 12, "eval_steps": 12, "per_device_train_batch_size": 8}
ONE_REPLY = 1 / 32  # of the held-out ones: another CPU's rounding may turn a word
# A thread that waits must not spin: the cores are few, and other tests run on them.
CALM = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "PATH": os.environ["PATH"]}


@dataclass
class Report:
    """Of one model: the mean margin on held-out pairs, how many are right, style accuracy."""

    margin: float
    right: float
    accuracy: float


@dataclass
class Lab:
    """The trainer's app with the real engine, and a dataset of four styles."""

    client: TestClient
    volume: Volume

    def train(self, recipe: str, continues: str | None, overrides: dict[str, Any]) -> ModelManifest:
        """Train to the end; return the published model."""
        body = {"dataset_id": DATASET, "recipe": recipe, "continues": continues}
        body |= {"overrides": overrides, "stop_when_flat": False}
        answer = self.client.post("/runs", json=body)
        assert answer.status_code == 202, answer.text
        run = str(answer.json()["id"])
        job = follow(self.client, f"/runs/jobs/{run}")
        assert job.state is JobState.DONE, job.error
        return self.volume.model_manifest(run)

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Return rows of the dataset."""
        path = self.volume.dataset(DATASET) / f"{name}.json"
        found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def probe(self, models: list[ModelManifest]) -> dict[str, Report]:
        """Return what held-out pairs say of models, by id."""
        pairs = [row for row in self.rows("preference-eval") if not row["history"]]
        folders = {model.id: str(self.volume.model(model.id)) for model in models}
        request = {"base": str(BASES / "starter"), "adapters": folders, "pairs": pairs}
        command = [str(engine_python()), str(PROBE)]
        text = json.dumps(request | {"tokens": 64})
        made = subprocess.run(
            command, input=text, env=CALM, check=True, stdout=subprocess.PIPE, text=True
        )
        judge = StyleClassifier(
            [Labelled(row["output"], row["system"]) for row in self.rows("train")], seed=7
        )
        asked = [pair["system"] for pair in pairs]
        return {
            name: Report(
                sum(each["margins"]) / len(pairs),
                sum(margin > 0 for margin in each["margins"]) / len(pairs),
                share(judge, each["replies"], asked),
            )
            for name, each in json.loads(made.stdout).items()
        }


def share(judge: StyleClassifier, replies: list[str], asked: list[str]) -> float:
    """Return the share of replies that the judge takes for the asked style."""
    found = [verdict.style for verdict in judge.judge(replies)]
    return sum(one == two for one, two in zip(found, asked, strict=True)) / len(asked)


def engine_python() -> Path:
    """Return the interpreter of LLaMA-Factory's environment."""
    found = os.environ.get("TRAINER_ENGINE_PYTHON")
    assert found, "TRAINER_ENGINE_PYTHON names the environment of LLaMA-Factory (make engines)"
    return Path(found).absolute()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One app for the module, and rows that the scripted teacher's own words are made of."""
    folder = tmp_path_factory.mktemp("preferences")
    settings = Settings(
        data_dir=folder / "data",
        state_dir=folder / "state",
        models_dir=BASES,
        engine_python=engine_python(),
        reserve_bytes=0,
        reply_tokens=12,
    )
    volume = Volume(settings.data_dir)
    description = Description(
        source="generated",
        status="complete",
        conditioning=Conditioning.SYSTEM,
        eval_ratio=0.2,
        seed=7,
        styles=[StyleVersion(version=1, style=card) for card in STYLES.values()],
        counts=Counts(),
    )
    publish_dataset(volume, DATASET, samples(40), description)
    with TestClient(create_app(settings, {"PATH": os.environ["PATH"]})) as client:
        yield Lab(client, volume)


@pytest.fixture(scope="module")
def taught(lab: Lab) -> ModelManifest:
    """A model that has learnt the styles from chats, in a short run."""
    return lab.train("lora", None, CHATS)


@pytest.fixture(scope="module")
def preferred(lab: Lab, taught: ModelManifest) -> dict[str, ModelManifest]:
    """Models that went on from it with pairs."""
    return {name: lab.train(name, taught.id, PAIRS) for name in ("dpo", "kto")}


@pytest.fixture(scope="module")
def reports(
    lab: Lab, taught: ModelManifest, preferred: dict[str, ModelManifest]
) -> dict[str, Report]:
    """What held-out pairs say of each model."""
    found = lab.probe([taught, *preferred.values()])
    names = {taught.id: "taught"} | {model.id: name for name, model in preferred.items()}
    return {names[key]: report for key, report in found.items()}


@pytest.mark.parametrize("name", ["dpo", "kto"])
def test_held_out_margin_rises_and_the_style_does_not_fall(
    reports: dict[str, Report], name: str
) -> None:
    """What was never trained on is preferred by more, and replies keep their style."""
    before, after = reports["taught"], reports[name]
    assert after.margin > before.margin, reports
    assert after.right >= before.right, reports
    assert after.accuracy >= before.accuracy - ONE_REPLY, reports


@pytest.mark.parametrize("name", ["dpo", "kto"])
def test_preference_run_starts_at_the_model_that_it_goes_on_from(
    lab: Lab, taught: ModelManifest, preferred: dict[str, ModelManifest], name: str
) -> None:
    """The reference is that model: both agree at first, and rewards part as the run goes on."""
    model = preferred[name]
    rewards = [
        event.figures[key]
        for event in RunFolder(lab.volume, model.id).events()
        for key in ("rewards/margins", "eval_rewards/margins")
        if key in event.figures
    ]
    assert abs(rewards[0]) < 0.02 < rewards[-1]
    assert model.continues == taught.id
    assert model.gate.passed
    assert model.best_step == PAIRS["max_steps"]


def test_models_are_measured_on_the_same_chats(
    taught: ModelManifest, preferred: dict[str, ModelManifest]
) -> None:
    """Every stage has the figures of chats, so that before and after can be compared."""
    for model in (taught, *preferred.values()):
        figures = model.metrics
        assert figures["measured_rows"] == 32
        assert 1 < figures["perplexity"] < 2
        for name in ("bleu_4", "rouge_1", "rouge_2", "rouge_l"):
            assert 30 < figures[name] <= 100, model.metrics


def test_adapter_goes_on_learning_from_chats(lab: Lab, taught: ModelManifest) -> None:
    """A plain run that continues keeps the adapter's rank, starts where it ended, and passes."""
    model = lab.train("lora", taught.id, CHATS | {"max_steps": 4})
    events = RunFolder(lab.volume, model.id).events()
    losses = [event.figures["loss"] for event in events if "loss" in event.figures]
    begun = RunFolder(lab.volume, taught.id).events()
    assert losses[0] < next(one.figures["loss"] for one in begun if "loss" in one.figures)
    assert (model.continues, model.lora_rank) == (taught.id, taught.lora_rank)
    assert model.gate.passed
