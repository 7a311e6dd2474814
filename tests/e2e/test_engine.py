"""The real engine on its own: why it stops, what it keeps, and what it says of it."""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from e2e.engine_folder import EngineFolder, engine_python, make_tiny_base, some_rows
from repository import ROOT
from trainer.engine import checkpoints
from trainer.engine.occupancy import BUSY, started

pytestmark = pytest.mark.engines
PATIENCE_SECONDS = 300.0
WATCHFUL = {
    "min_delta": 0.005,
    "half_life": 4,
    "window": 8,
    "patience": 8,
    "min_steps": 12,
    "eval_patience": 2,
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny base."""
    return make_tiny_base(tmp_path_factory.mktemp("base") / "tiny")


def until(true: Callable[[], bool]) -> None:
    """Wait for a condition, or fail."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.02)


def expect_pace(rank: dict[str, Any], steps: int) -> dict[str, Any]:
    """Check what a rank file says of the pace after so many steps; return its figures."""
    taken, waited, totals = rank["pace"]["step"], rank["pace"]["data_wait"], rank["totals"]
    assert taken["counts"][-1] == totals["steps"] == steps
    assert waited["counts"][-1] >= steps
    assert 0 < waited["sum"] < taken["sum"]
    assert totals["flops"] == pytest.approx(totals["tokens"] * rank["flops_per_token"], rel=0.2)
    assert rank["dtype"] in ("bf16", "fp32")
    assert rank.get("gpu_uuid", "GPU-").startswith("GPU-")
    assert rank["logged_at"] <= rank["at"]
    figures: dict[str, Any] = rank["figures"]
    assert figures["step_seconds_ewma"] > 0
    assert figures["eta_seconds"] > 0
    return figures


def test_flat_run_stops_and_exports_its_best_checkpoint_byte_for_byte(
    base: Path, tmp_path: Path
) -> None:
    """It ends long before its last step; an engine killed after the stop does not train on."""
    run = EngineFolder(
        tmp_path / "run",
        base,
        plan={"plateau": WATCHFUL, "publish": True},
        learning_rate=1e-9,
        max_steps=400,
    )
    # Dies as soon as the checkpoint of the stop is sealed: the fifth, at step 20.
    assert run.run(FAILPOINT="ckpt.after_manifest@5") < 0
    assert run.events()[-1]["kind"] == "stop"
    figures = expect_pace(run.read("rank-0.json"), steps=20)
    assert run.run() == 0
    assert run.read("rank-0.json")["totals"]["steps"] == 20
    outcome = run.outcome()
    stop = outcome["stop"]
    assert stop["reason"] == "flat"
    assert stop["step"] + stop["saved_steps"] == 400
    assert stop["step"] < 100
    assert stop["best_step"] == outcome["best_step"]
    assert "steps" in stop["detail"]
    assert run.events("stop")[-1]["step"] == stop["step"]
    good = checkpoints.verified(run.checkpoints)
    best = checkpoints.best(good)
    assert best.step == outcome["best_step"]
    assert run.read("export.json")["step"] == best.step
    weights = (best.path / "adapter_model.safetensors").read_bytes()
    assert (run.path / "model" / "adapter_model.safetensors").read_bytes() == weights
    assert figures["plateau_steps"] >= figures["plateau_patience_steps"] == 16
    assert figures["tokens"] > 0
    assert figures["evals_since_best"] >= 2
    before = run.events("log")
    assert run.run() == 0
    assert run.events("log") == before
    assert run.outcome()["stop"] == stop


def poisoned(rows: list[dict[str, Any]], place: int) -> list[dict[str, Any]]:
    """Return rows of which one has a character that the poisoned base cannot bear."""
    rows[place] = rows[place] | {"instruction": "this row is ~broken"}
    return rows


@pytest.mark.parametrize("accumulation", [1, 4])
def test_row_that_breaks_the_loss_is_named(tmp_path: Path, accumulation: int) -> None:
    """The weights of one token are no numbers: the run ends at the first row that has it."""
    base = make_tiny_base(tmp_path / "tiny", "--poison", "~")
    run = EngineFolder(
        tmp_path / "run",
        base,
        rows=poisoned(some_rows(48), 17),
        per_device_train_batch_size=1,
        gradient_accumulation_steps=accumulation,
        max_steps=40,
        logging_steps=5,
        eval_steps=1000,
        save_steps=5,
    )
    assert run.run() == 0
    error = run.outcome()["error"]
    assert error["code"] == "non_finite_loss"
    assert "~broken" in error["message"]
    found = run.read("nonfinite.json")
    assert len(found["rows"]) == 1
    assert "this row is ~broken" in found["rows"][0]
    assert found["loss"] == "nan"
    assert 0 <= found["micro_batch"] < accumulation
    assert f"step {found['step']}" in error["message"]
    rank = run.read("rank-0.json")
    assert rank["totals"]["nonfinite_steps"] >= 1
    assert rank["figures"]["grad_norm"] == "nan"
    for one in checkpoints.verified(run.checkpoints):
        assert one.step < found["step"]


def test_weights_that_are_no_numbers_are_never_sealed(base: Path, tmp_path: Path) -> None:
    """The loss of the step that ruins them is still fine, and nothing is measured after it."""
    run = EngineFolder(
        tmp_path / "run",
        base,
        optim="sgd",
        learning_rate=3e38,
        weight_decay=100.0,
        max_steps=2,
        logging_steps=1,
        save_steps=1,
        eval_strategy="no",
        eval_dataset=None,
    )
    assert run.run() == 0
    assert run.outcome()["error"]["code"] == "non_finite_loss"
    assert checkpoints.verified(run.checkpoints) == []
    assert run.read("nonfinite.json")["rows"]


def test_full_volume_stops_the_run_and_keeps_the_last_good_checkpoint(
    base: Path, tmp_path: Path
) -> None:
    """Nothing is half written; with room again it goes on from there."""
    run = EngineFolder(tmp_path / "run", base)
    assert run.run(FAILPOINT="ckpt.after_manifest") < 0
    run.write_plan(reserve_bytes=1 << 60)
    assert run.run() == 0
    assert run.outcome()["error"]["code"] == "storage_full"
    assert [path.name for _, path in checkpoints.numbered(run.checkpoints)] == ["checkpoint-4"]
    assert len(checkpoints.verified(run.checkpoints)) == 1
    run.write_plan()
    assert run.run() == 0
    assert run.outcome()["state"] == "done"
    assert run.read("rank-0.json")["resumed_from"] == 4


def test_second_engine_leaves_the_folder_alone_and_cancel_saves_within_a_long_step(
    base: Path, tmp_path: Path
) -> None:
    """One engine for a run; it stops between two micro-batches, at the last whole step."""
    run = EngineFolder(
        tmp_path / "run",
        base,
        per_device_train_batch_size=1,
        gradient_accumulation_steps=500,
        num_train_epochs=4000,
        max_steps=40,
        save_steps=1000,
        eval_strategy="no",
        eval_dataset=None,
        logging_steps=1,
    )
    (run.path / "train.json").write_text(json.dumps(some_rows(1000)), encoding="utf-8")
    first = run.start()
    until(lambda: bool((run.path / "events.jsonl").exists() and run.events("log")))
    before = {path: path.read_bytes() for path in run.path.glob("*.json*")}
    assert run.run() == BUSY
    assert set(run.path.glob("*.json*")) == set(before)
    assert "another engine" in (run.path / "engine.log").read_text(errors="replace")
    identity = run.read("engine.pid")
    assert identity["pid"] == first.pid
    assert identity["started"] == started(first.pid)
    (run.path / "cancel").touch()
    logged = run.events("log")[-1]["step"]
    assert first.wait() == 0
    assert run.outcome()["state"] == "cancelled"
    newest = checkpoints.verified(run.checkpoints)[0]
    assert newest.step <= logged + 1  # a step has 500 micro-batches
    assert [event["step"] for event in run.events("log")] == list(range(1, newest.step + 1))
    assert checkpoints.trained_steps(newest.path) == (newest.step, 40)


def test_checkpoint_is_chosen_by_style_where_that_is_asked_for(base: Path, tmp_path: Path) -> None:
    """Its score is in the manifest and in the outcome."""
    rows = [
        {
            **row,
            "system": f"be {style}",
            "output": {"loud": "HELLO THERE", "calm": "good evening"}[style],
        }
        for row in some_rows(48)
        for style in ("loud", "calm")
    ]
    probe = {
        "rows": [
            {
                "messages": [{"role": "user", "content": row["instruction"]}],
                "reply": row["output"],
                "style": row["system"].removeprefix("be "),
            }
            for row in rows[-8:]
        ],
        "prompts": {"loud": "be loud", "calm": "be calm"},
    }
    run = EngineFolder(
        tmp_path / "run",
        base,
        rows=rows,
        plan={"choose_by": "style", "style_probe": probe, "keep_checkpoints": 1},
        max_steps=24,
    )
    assert run.run() == 0
    outcome = run.outcome()
    scores = {
        event["step"]: (event["figures"]["style_accuracy"], event["figures"]["style_margin"])
        for event in run.events("eval")
        if "style_accuracy" in event["figures"]
    }
    assert len(scores) == 6
    assert scores[outcome["best_step"]] == max(scores.values())
    assert outcome["metrics"]["style_accuracy"] == max(scores.values())[0]
    kept = [one.step for one in checkpoints.verified(run.checkpoints)]
    assert set(kept) == {24, outcome["best_step"]}


WHAT_THE_LIBRARIES_SAY = """
import sys
from accelerate.utils.deepspeed import HfDeepSpeedConfig
from transformers import Trainer, TrainingArguments
from trainer.engine.seams import WRAPPED
assert all(callable(getattr(Trainer, name)) for name in WRAPPED)
folder = sys.argv[1]
asked = {"fsdp": "full_shard auto_wrap", "fsdp_config": f"{folder}/fsdp.json"}
read = TrainingArguments(report_to="none", use_cpu=True, **asked).fsdp_plugin_args
assert read["backward_prefetch"] == "BACKWARD_PRE"
assert read["sync_module_states"] and read["cpu_ram_efficient_loading"]
assert HfDeepSpeedConfig(f"{folder}/zero3.json").is_zero3()
"""


def test_libraries_have_the_methods_that_we_wrap_and_read_what_we_ship(tmp_path: Path) -> None:
    """A newer transformers that renames one, or reads another name, is noticed here."""
    environ = EngineFolder(tmp_path / "run", tmp_path).environ()
    sharding = str(ROOT / "services/trainer/sharding")
    command = [str(engine_python()), "-c", WHAT_THE_LIBRARIES_SAY, sharding]
    done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
