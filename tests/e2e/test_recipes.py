"""Recipes and presets in the real LLaMA-Factory: its parser takes them, its templates are ours."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from contracts.artefact import ModelManifest
from contracts.dataset import DatasetManifest
from contracts.job import JobState
from contracts.run import Overrides, RunRequest
from contracts.volume import Volume
from fakes.trainer_app import follow
from fakes.training import DATASET, publish_rows
from kit.errors import InvalidInputError
from repository import ROOT
from trainer.app import create_app
from trainer.arguments import Places, engine_arguments
from trainer.bases import Base
from trainer.config import Settings
from trainer.engine import templates
from trainer.pacing import paced
from trainer.parity import same_tokens
from trainer.preferences import preference_arguments
from trainer.presets import CHATML, HYBRID, Preset, preset_of
from trainer.recipe import Shelf

pytestmark = pytest.mark.engines
TRAINER = ROOT / "services/trainer"
STARTER = TRAINER / "bases/starter"
PRESETS = {"chatml": CHATML, "chatml-large": replace(CHATML, large=True), "hybrid": HYBRID}
PRESETS |= {"hybrid-large": replace(HYBRID, large=True)}
SYSTEM = {"role": "system", "content": "你说话傲娇。 Keep it short."}
TURNS = [
    ("我又和室友吵架了。", "哼，先喘口气。"),
    ("But what do I say to her?", "\nSay it's over 🙂, and mean it."),
    ("  然后呢？\n\n还有吗", "然后去睡。 "),
]


def engine(*command: object, given: object = None) -> Any:
    """Run a program in LLaMA-Factory's environment on a JSON document; return its last line."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "HF_HUB_OFFLINE": "1",
        "DISABLE_VERSION_CHECK": "1",
        "PYTHONPATH": str(TRAINER / "src"),
    }
    program = [os.environ["TRAINER_ENGINE_PYTHON"], *map(str, command)]
    done = subprocess.run(
        program, input=json.dumps(given), env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout.splitlines()[-1] if done.stdout else ""


@pytest.fixture(scope="module")
def hybrid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base as it comes from the hub, before our template is put into it."""
    folder = tmp_path_factory.mktemp("bases") / "tiny-hybrid"
    engine(ROOT / "tests/e2e/hybrid_base.py", STARTER, folder)
    return folder


def made_arguments(
    name: str, preset: Preset, dataset: DatasetManifest, root: Path
) -> dict[str, Any]:
    """Return the engine's arguments of a run of a shipped recipe."""
    recipe, request = Shelf(TRAINER / "recipes").get(name), RunRequest(dataset_id=DATASET)
    places = Places(base=STARTER, dataset=root / "datasets/x", run=root / "runs" / name)
    continues = root / "models/m" if recipe.arguments.finetuning_type == "lora" else None
    made = engine_arguments(recipe, request, dataset, places, preset, continues=continues)
    if continues:
        made |= preference_arguments(recipe, dataset, STARTER, continues)
    return paced(made, 16.0, 480, Overrides())


def test_every_recipe_passes_the_parser_of_llama_factory(tmp_path: Path) -> None:
    """Every shipped recipe, for every preset: no argument is unknown, refused or changed.

    One check is left out: that bf16 has a card (`use_cpu` says that it is not looked for). Whether
    4 bits have their library is asked when the weights are loaded, not by the parser.
    """
    dataset = publish_rows(Volume(tmp_path))
    asked = {
        f"{name}/{kind}": {**made_arguments(name, preset, dataset, tmp_path), "use_cpu": True}
        for name in Shelf(TRAINER / "recipes").names()
        for kind, preset in PRESETS.items()
    }
    found = json.loads(engine(ROOT / "tests/e2e/parsed_recipes.py", given=asked))
    assert set(found) == set(asked)
    assert not {name: one for name, one in found.items() if one["error"] or one["changed"]}


def test_parser_refuses_what_a_recipe_must_not_say(tmp_path: Path) -> None:
    """The parser is the real one: it stops at a value, a name and a mixture that are none."""
    made = made_arguments("lora", CHATML, publish_rows(Volume(tmp_path)), tmp_path)
    asked = {
        "schedule": made | {"lr_scheduler_type": "poetry"},
        "unknown": made | {"lora_ranks": 4},
        "mixed": made | {"finetuning_type": "full", "quantization_bit": 4},
        "fine": made,
    }
    found = json.loads(engine(ROOT / "tests/e2e/parsed_recipes.py", given=asked))
    assert {name for name, one in found.items() if one["error"]} == {"schedule", "unknown", "mixed"}


def conversations() -> list[list[dict[str, str]]]:
    """Return one and three turns, with and without a system prompt, in both languages."""
    made = []
    for turns in ([TURNS[0]], [TURNS[1]], TURNS):
        chat = [
            {"role": role, "content": text}
            for pair in turns
            for role, text in zip(("user", "assistant"), pair, strict=True)
        ]
        made += [chat, [SYSTEM, *chat]]
    return made


Rendered = dict[tuple[str, str, str], list[dict[str, list[int]]]]
# Base, preset and chat template; the last three do not belong together.
RENDERINGS = [
    ("starter", "chatml", "own"),
    ("hybrid", "chatml", "plain"),
    ("hybrid", "qwen3-hybrid", "hybrid"),
    ("hybrid", "chatml", "hybrid"),
    ("hybrid", "qwen3-hybrid", "plain"),
    ("hybrid", "qwen3-hybrid", "own"),
]


@pytest.fixture(scope="module")
def rendered(hybrid: Path) -> Rendered:
    """The token ids of all conversations, as they are trained and as they are rendered."""
    folders = {"starter": STARTER, "hybrid": hybrid}
    ours = {"plain": templates.PLAIN, "hybrid": templates.HYBRID}
    presets = {preset.name: preset for preset in (CHATML, HYBRID)}
    requests = [
        {
            "folder": str(folders[base]),
            "template": presets[preset].template,
            "enable_thinking": presets[preset].enable_thinking,
            "chat_template": str(ours.get(template, folders[base] / templates.TEMPLATE)),
            "conversations": conversations(),
        }
        for base, preset, template in RENDERINGS
    ]
    found = json.loads(engine(ROOT / "tests/e2e/rendered_turns.py", given=requests))
    return dict(zip(RENDERINGS, found, strict=True))


@pytest.mark.parametrize("fitting", RENDERINGS[:3], ids="-".join)
def test_template_of_a_preset_renders_what_training_renders(
    rendered: Rendered, fitting: tuple[str, str, str]
) -> None:
    """Every turn of every conversation is the same tokens, replies and thinking blocks included."""
    for one in rendered[fitting]:
        assert one["multiturn"] == one["rendered"]
        assert one["trained_prompt"] == one["prompt"]


def test_thinking_block_stands_in_every_turn(rendered: Rendered, hybrid: Path) -> None:
    """A hybrid model reads an empty block before each reply, and no other base reads any."""
    tokens = json.loads((hybrid / "tokenizer.json").read_text(encoding="utf-8"))["added_tokens"]
    opens = next(token["id"] for token in tokens if token["content"] == "<think>")
    counts = {base: [one["rendered"].count(opens) for one in rendered[base]] for base in rendered}
    assert counts[RENDERINGS[0]] == counts[RENDERINGS[1]] == [0] * 6
    assert counts[RENDERINGS[2]] == [1, 1, 1, 1, 3, 3]


def test_preference_training_reads_earlier_turns_without_a_block(rendered: Rendered) -> None:
    """LLaMA-Factory encodes pairs by their last turn: with a history they differ for a hybrid."""
    same = {
        base: [one["oneturn"] == one["rendered"] for one in rendered[base]] for base in rendered
    }
    assert same[RENDERINGS[0]] == same[RENDERINGS[1]] == [True] * 6
    assert same[RENDERINGS[2]] == [True] * 4 + [False] * 2


@pytest.mark.parametrize(
    ("mismatch", "wrong"),
    [
        (RENDERINGS[3], [0, 1, 2, 3, 4, 5]),
        (RENDERINGS[4], [0, 1, 2, 3, 4, 5]),
        (RENDERINGS[5], [4, 5]),
    ],
    ids=["untrained block", "missing block", "the hub's own"],
)
def test_wrong_preset_fails_the_parity_gate(
    rendered: Rendered, mismatch: tuple[str, str, str], wrong: list[int]
) -> None:
    """The gate names the token; the hub's own template fails only where there is a history."""
    checks = [
        same_tokens(str(at), {"token_ids": one["trained_prompt"]}, {"token_ids": one["prompt"]})
        for at, one in enumerate(rendered[mismatch])
    ]
    assert [at for at, check in enumerate(checks) if not check.passed] == wrong
    assert all("they part at token" in checks[at].detail for at in wrong)


def test_base_from_the_hub_is_refused_until_it_has_our_template(
    hybrid: Path, tmp_path: Path
) -> None:
    """The command of the hint makes it one that can be trained; the hub's stays beside."""
    folder = tmp_path / "copied"
    shutil.copytree(hybrid, folder)
    base = Base("copied", folder)
    with pytest.raises(InvalidInputError, match="every turn"):
        preset_of(base)
    said = engine("-m", "trainer.engine.fetch", "--template", folder)
    assert said.endswith("chat_template.jinja is now our hybrid.jinja")
    assert preset_of(base) == HYBRID
    kept = (folder / "chat_template.hub.jinja").read_text(encoding="utf-8")
    assert kept == (hybrid / "chat_template.jinja").read_text(encoding="utf-8")
    assert engine("-m", "trainer.engine.fetch", "--template", folder) == said
    assert preset_of(base) == HYBRID


@dataclass(frozen=True)
class Trainer:
    """The trainer's app with the real engine, and a dataset."""

    client: TestClient
    volume: Volume
    bases: Path

    def run(self, **body: Any) -> ModelManifest:
        """Train four steps to the end and return the model that was published."""
        asked = {"dataset_id": DATASET, "overrides": {"max_steps": 4, "save_steps": 2}, **body}
        answer = self.client.post("/runs", json=asked)
        assert answer.status_code == 202, answer.text
        job = follow(self.client, f"/runs/jobs/{answer.json()['id']}")
        assert job.state is JobState.DONE, job.error
        return self.volume.model_manifest(job.id)


@pytest.fixture(scope="module")
def trainer(hybrid: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trainer]:
    """One app for the module, whose hybrid base has our template."""
    folder = tmp_path_factory.mktemp("trainer")
    shutil.copytree(hybrid, folder / "bases/tiny-hybrid")
    shutil.copytree(hybrid, folder / "bases/from-the-hub")
    engine("-m", "trainer.engine.fetch", "--template", folder / "bases/tiny-hybrid")
    settings = Settings(
        data_dir=folder / "data",
        state_dir=folder / "state",
        models_dir=folder / "bases",
        engine_python=Path(os.environ["TRAINER_ENGINE_PYTHON"]).absolute(),
        reserve_bytes=0,
        reply_tokens=8,
    )
    volume = Volume(settings.data_dir)
    publish_rows(volume)
    with TestClient(create_app(settings, {"PATH": os.environ["PATH"]})) as client:
        yield Trainer(client, volume, folder / "bases")


def test_hybrid_base_passes_the_gate(trainer: Trainer, hybrid: Path) -> None:
    """Trained, exported and rendered with its empty block before every reply, also in a history."""
    model = trainer.run(base_model="tiny-hybrid")
    assert (model.recipe["template"], model.enable_thinking) == ("qwen3", False)
    tokens = json.loads((hybrid / "tokenizer.json").read_text(encoding="utf-8"))["added_tokens"]
    opens = next(token["id"] for token in tokens if token["content"] == "<think>")
    blocks = {golden.name: golden.token_ids.count(opens) for golden in model.golden}
    assert blocks["single-zh"] == blocks["system"] == 1
    assert blocks["history"] == 3
    exported = trainer.volume.model(model.id) / templates.TEMPLATE
    assert exported.read_bytes() == templates.HYBRID.read_bytes()


def test_base_with_the_template_of_the_hub_is_refused_at_once(trainer: Trainer) -> None:
    """Not after an hour of training, by the gate."""
    body = {"dataset_id": DATASET, "base_model": "from-the-hub"}
    answer = trainer.client.post("/runs", json=body)
    assert answer.status_code == 422
    assert "trainer.engine.fetch --template" in answer.json()["error"]["hint"]


def test_whole_model_is_a_base_again(trainer: Trainer) -> None:
    """Recipe `full` makes merged weights, which the next run takes as its base."""
    model = trainer.run(base_model="tiny-hybrid", recipe="full")
    assert model.kind == "base"
    assert "adapter_config.json" not in model.files
    merged = trainer.volume.model(model.id) / "merged"
    shutil.copytree(merged, trainer.bases / "mine")
    assert "mine" in [base["name"] for base in trainer.client.get("/bases").json()]
    assert preset_of(Base("mine", trainer.bases / "mine")) == HYBRID
    assert trainer.run(base_model="mine").base.name == "mine"
