"""On a real card: the prediction agrees with the peak, and the plan lands in the band.

Models of random weights in the shape of Qwen3 0.6B and 1.7B, made in place: nothing is downloaded.
"""

import json
import os
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from repository import ROOT
from trainer.child import Engine
from trainer.config import Settings
from trainer.fitting import Fitted, fitted_arguments

pytestmark = pytest.mark.gpu
SHAPES = ("qwen3-0.6b", "qwen3-1.7b")
ERROR = 0.15  # of the prediction, against the peak
COLUMNS = {"prompt": "instruction", "response": "output", "system": "system"}
TEXT = "今天有点累但是没关系先喝口水再慢慢想明天要做的事情"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """The real engine, of the CUDA environment."""
    python = os.environ.get("TRAINER_ENGINE_PYTHON")
    if not python:
        pytest.fail("TRAINER_ENGINE_PYTHON names the environment of LLaMA-Factory: make engines")
    cache = tmp_path_factory.mktemp("cache")
    return Engine(Path(python), cache, dict(os.environ))


@pytest.fixture(scope="module", params=SHAPES)
def base(
    request: pytest.FixtureRequest, engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A base of a known shape."""
    folder = tmp_path_factory.mktemp("base") / request.param
    call(engine, "benchmarks/random_base.py", str(folder), "--shape", request.param)
    return folder


@pytest.fixture
def arguments(base: Path, tmp_path: Path) -> dict[str, Any]:
    """A LoRA training whose update is far larger than any card."""
    chance = random.Random(3)
    rows = [
        {"instruction": "累", "output": "".join(chance.choices(TEXT, k=size)), "system": "温柔"}
        for size in [chance.randint(60, 900) for _ in range(600)]
    ]
    (tmp_path / "train.json").write_text(json.dumps(rows), encoding="utf-8")
    info = {"train": {"file_name": "train.json", "columns": COLUMNS}}
    (tmp_path / "dataset_info.json").write_text(json.dumps(info), encoding="utf-8")
    return {
        "stage": "sft",
        "do_train": True,
        "finetuning_type": "lora",
        "lora_rank": 64,
        "lora_alpha": 128,
        "lora_target": "all",
        "bf16": True,
        "model_name_or_path": str(base),
        "dataset_dir": str(tmp_path),
        "dataset": "train",
        "template": "qwen3_nothink",
        "enable_thinking": False,
        "per_device_train_batch_size": 480,
        "gradient_accumulation_steps": 1,
        "per_device_eval_batch_size": 8,
        "disable_gradient_checkpointing": False,
        "cutoff_len": 2048,
        "max_steps": 4,
        "learning_rate": 1e-4,
        "optim": "adamw_torch_fused",
        "save_strategy": "no",
        "output_dir": str(tmp_path / "out"),
        "overwrite_output_dir": True,
        "overwrite_cache": True,
        "report_to": "none",
        "disable_tqdm": True,
        "seed": 1,
    }


def call(engine: Engine, *command: str, given: Any = None) -> str:
    """Run a script, or `-m` a module, in the engine's environment; return its last line."""
    first = ["-m", command[1]] if command[0] == "-m" else [str(ROOT / command[0])]
    rest = command[2:] if command[0] == "-m" else command[1:]
    done = subprocess.run(
        [str(engine.python), *first, *rest],
        env=engine.variables(),
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip().splitlines()[-1]


def fit(engine: Engine, arguments: dict[str, Any], **fixed: Any) -> Fitted:
    """Return the fit of a run, probed on the card."""
    settings = Settings.from_environ({})
    request = {
        "arguments": arguments,
        "fixed": fixed,
        "recipe_cutoff": True,
        "band": [settings.vram_low, settings.vram_high],
        "probe": True,
    }
    return Fitted.model_validate_json(call(engine, "-m", "trainer.engine.fit", given=request))


def peak(engine: Engine, arguments: dict[str, Any], folder: Path) -> float:
    """Train a few steps and return the most memory that torch held, in bytes."""
    path = folder / "recipe.json"
    path.write_text(json.dumps(arguments), encoding="utf-8")
    found = json.loads(call(engine, "benchmarks/useful_tokens.py", str(path)))
    return float(found["peak_bytes"])


@pytest.mark.parametrize("batching", ["packed", "grouped"])
def test_the_plan_lands_in_the_band_and_the_prediction_near_it(
    engine: Engine, arguments: dict[str, Any], tmp_path: Path, batching: str
) -> None:
    """Predicted, probed and measured agree; no step of the training overflows.

    The band is of the whole card: the driver's share, which torch does not count, is added to
    what the training measured.
    """
    found = fit(engine, arguments, batching=batching)
    assert found.card_bytes
    assert found.predicted_bytes
    assert found.probed_bytes
    assert len(found.probes) <= 5
    assert found.predicted_bytes == pytest.approx(found.probed_bytes, rel=ERROR)
    chosen = next(each for each in found.probes if each["micro_batch"] == found.micro_batch)
    assert not chosen["oom"]
    reachable = [
        each
        for each in found.probes
        if not each["oom"] and 0.90 <= each["peak_bytes"] / found.card_bytes <= 0.95
    ]
    if reachable:
        assert chosen in reachable
    measured = peak(engine, fitted_arguments(arguments, found), tmp_path)
    driver = found.predicted["context"]
    assert measured + driver == pytest.approx(found.probed_bytes, rel=0.05)
    assert measured + driver <= 0.97 * found.card_bytes


@pytest.mark.parametrize("micro", [1, 2, 8])
@pytest.mark.parametrize("twice", [True, False])
def test_the_prediction_holds_for_small_batches_too(
    engine: Engine, arguments: dict[str, Any], tmp_path: Path, micro: int, twice: bool
) -> None:
    """With activations kept or computed twice, the terms add up to the measured peak."""
    fixed = {"per_device_train_batch_size": micro, "gradient_accumulation_steps": 2}
    given = {**arguments, **fixed, "disable_gradient_checkpointing": not twice}
    found = fit(engine, given, batching="packed", **fixed)
    assert found.predicted_bytes
    assert found.probed_bytes
    assert found.predicted_bytes == pytest.approx(found.probed_bytes, rel=ERROR)
