"""The real LLaMA-Factory: packs mix no rows, lengths are its own, memory is as predicted."""

import json
import os
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from contracts.run import Overrides
from repository import ROOT
from trainer.child import Engine
from trainer.config import Settings
from trainer.fitting import ask_fit, fitted_arguments

pytestmark = pytest.mark.engines
STARTER = ROOT / "services/trainer/bases/starter"
TEXT = "今天有点累但是没关系先喝口水再慢慢想明天要做的事情"
COLUMNS = {"prompt": "instruction", "response": "output", "system": "system"}
TOLERANCE = 1e-4


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """The real engine."""
    python = Path(os.environ["TRAINER_ENGINE_PYTHON"])
    return Engine(python, tmp_path / "cache", {"PATH": os.environ["PATH"]})


@pytest.fixture
def arguments(tmp_path: Path) -> dict[str, Any]:
    """A short training on rows of many lengths, evaluated once."""
    chance = random.Random(3)
    rows = [
        {
            "instruction": "".join(chance.choices(TEXT, k=chance.randint(4, 30))),
            "output": "".join(chance.choices(TEXT, k=chance.randint(4, 60))),
            "system": "温柔",
        }
        for _ in range(96)
    ]
    for name, part in {"train": rows, "eval": rows[:10]}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(part), encoding="utf-8")
    info = {name: {"file_name": f"{name}.json", "columns": COLUMNS} for name in ("train", "eval")}
    (tmp_path / "dataset_info.json").write_text(json.dumps(info), encoding="utf-8")
    return {
        "stage": "sft",
        "do_train": True,
        "finetuning_type": "lora",
        "lora_rank": 4,
        "model_name_or_path": str(STARTER),
        "dataset_dir": str(tmp_path),
        "dataset": "train",
        "eval_dataset": "eval",
        "template": "qwen3_nothink",
        "enable_thinking": False,
        "per_device_train_batch_size": 16,
        "per_device_eval_batch_size": 4,
        "gradient_accumulation_steps": 1,
        "disable_gradient_checkpointing": True,
        "cutoff_len": 256,
        "max_steps": 2,
        "eval_strategy": "steps",
        "eval_steps": 2,
        "learning_rate": 1e-3,
        "save_strategy": "no",
        "output_dir": str(tmp_path / "out"),
        "overwrite_output_dir": True,
        "overwrite_cache": True,
        "report_to": "none",
        "disable_tqdm": True,
        "seed": 1,
    }


def run(engine: Engine, script: str, *rest: str, given: Any = None) -> list[dict[str, Any]]:
    """Run a script of ours in the engine's environment; return its lines of JSON."""
    done = subprocess.run(
        [str(engine.python), str(ROOT / script), *rest],
        env=engine.variables(),
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"')]
    return [json.loads(line) for line in lines]


async def fitted(
    engine: Engine, arguments: dict[str, Any], folder: Path, **wishes: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the arguments as the fit lays them, and the fit's answer."""
    settings = Settings.from_environ({"TRAINER_STATE_DIR": str(folder / "state")})
    overrides = Overrides(**wishes)
    found = await ask_fit(engine, arguments, overrides, settings=settings, card_bytes=None)
    return fitted_arguments(arguments, found), found.model_dump()


async def test_a_row_in_a_pack_is_learned_as_if_it_were_alone(
    engine: Engine, arguments: dict[str, Any], tmp_path: Path
) -> None:
    """In the Trainer's own batches a row's logits and loss are those of the row alone.

    Another neighbour changes nothing, positions start again, and held-out rows are not packed.
    """
    laid, answer = await fitted(engine, arguments, tmp_path, batching="packed")
    assert laid["neat_packing"]
    [seen] = run(engine, "tests/e2e/packing_report.py", given=laid)[-1:]
    assert seen["attention"] == "sdpa"
    assert seen["mask_dimensions"] == 4
    assert seen["length"] == answer["cutoff_len"]
    assert seen["rows"] > seen["packs"] * 1.5
    assert max(seen["alone"], seen["loss"], seen["neighbour"]) < TOLERANCE
    assert all(length < answer["cutoff_len"] for _, length in seen["evaluated"])
    assert sum(rows for rows, _ in seen["evaluated"]) == 10 * 2  # at step 2 and at the end


async def test_packs_that_are_not_neat_do_mix_rows(
    engine: Engine, arguments: dict[str, Any], tmp_path: Path
) -> None:
    """LLaMA-Factory's plain `packing` lets a row see its neighbours: the test above can fail."""
    laid, _ = await fitted(engine, arguments, tmp_path, batching="packed")
    [seen] = run(engine, "tests/e2e/packing_report.py", given={**laid, "neat_packing": False})[-1:]
    assert min(seen["alone"], seen["neighbour"]) > 1.0


async def test_lengths_are_those_that_the_engine_trains_on(
    engine: Engine, arguments: dict[str, Any], tmp_path: Path
) -> None:
    """Every token that reaches the model was counted, and the cache answers the second question."""
    laid, answer = await fitted(engine, arguments, tmp_path, batching="grouped")
    assert answer["lengths"]["rows"] == 96
    count = sum(length * rows for length, rows in answer["lengths"]["histogram"])
    path = tmp_path / "recipe.json"
    changed = {**laid, "max_steps": 12, "eval_strategy": "no"}
    path.write_text(json.dumps(changed), encoding="utf-8")
    [found] = run(engine, "benchmarks/useful_tokens.py", str(path))
    # Two epochs of six updates; the first update is not counted, and holds the longest rows.
    longest = sorted(
        length for length, rows in answer["lengths"]["histogram"] for _ in range(rows)
    )[-16:]
    assert 2 * count - sum(longest) <= found["tokens"] < 2 * count
    assert found["rows"] == 11 * 16
    again = await fitted(engine, arguments, tmp_path, batching="grouped")
    assert again[1] == answer


@pytest.mark.parametrize("size", ["tiny", "starter"])
def test_the_prediction_is_what_autograd_keeps(engine: Engine, tmp_path: Path, size: str) -> None:
    """Weights and optimizer to the byte, activations within 5 %, for each way to train."""
    base = STARTER
    if size == "tiny":
        base = tmp_path / "tiny"
        run(engine, "tests/e2e/tiny_base.py", str(base))
    for way in run(engine, "tests/e2e/saved_tensors.py", str(base)):
        assert way["trained"] == way["predicted_trained"], way
        if way["frozen"]:
            assert way["frozen"] == way["predicted_base"], way
        assert way["optimizer"] == 8 * way["trained"], way
        assert way["predicted"] == pytest.approx(way["saved"], rel=0.05), way
