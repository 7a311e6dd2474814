"""The service's side of the fit: what is asked, what is laid over, what is recorded."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.run import Fit, Overrides
from trainer.fitting import (
    MODULE,
    FitFailedError,
    Fitted,
    ask_fit,
    fit_request,
    fitted_arguments,
    record,
    smaller,
)

ARGUMENTS = {
    "stage": "sft",
    "per_device_train_batch_size": 8,
    "gradient_accumulation_steps": 2,
    "per_device_eval_batch_size": 8,
    "cutoff_len": 1024,
    "learning_rate": 1e-4,
}
ANSWER: dict[str, Any] = {
    "lengths": {"rows": 3, "mean": 20.0, "max": 40, "histogram": [[10, 1], [40, 2]]},
    "batching": "packed",
    "cutoff_len": 512,
    "micro_batch": 3,
    "accumulation": 2,
    "eval_batch": 3,
    "checkpointing": False,
    "rows_per_update": 15.6,
    "useful_ratio": 0.97,
    "card_bytes": 24 << 30,
    "predicted_bytes": 20 << 30,
    "probed_bytes": 22 << 30,
    "probes": [{"micro_batch": 3, "peak_bytes": 22 << 30, "tokens_per_second": 9.0, "oom": False}],
    "reasons": ["Rows are packed."],
}


@dataclass
class Terms:
    """What the operator set."""

    state_dir: Path
    vram_low: float = 0.8
    vram_high: float = 0.9
    nproc: int = 2


class AnsweringEngine:
    """An engine that answers every question with one answer, or fails."""

    def __init__(self, answer: dict[str, Any] | Exception) -> None:
        self.answer = answer
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def ask(self, module: str, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Answer; the request must be JSON."""
        self.asked.append((module, json.loads(json.dumps(request))))
        assert seconds > 0
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def test_the_engine_is_asked_with_what_the_operator_set(tmp_path: Path) -> None:
    """Band, processes and the place of the cache come from the settings."""
    engine = AnsweringEngine(ANSWER)
    overrides = Overrides(cutoff_len=256, learning_rate=0.1)
    fitted = await ask_fit(engine, ARGUMENTS, overrides, settings=Terms(tmp_path), probe=False)
    [(module, request)] = engine.asked
    assert module == MODULE
    assert (request["band"], request["world_size"], request["probe"]) == ([0.8, 0.9], 2, False)
    assert (request["fixed"], request["recipe_cutoff"]) == ({"cutoff_len": 256}, False)
    assert Path(request["cache"]).parent == tmp_path
    assert fitted.lengths.histogram == [(10, 1), (40, 2)]


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (ValueError("one sequence wants 9 GiB"), "wants 9 GiB"),
        (TimeoutError(), "seconds"),
        (json.JSONDecodeError("no", "", 0), "cannot be read"),
    ],
)
async def test_a_failed_fit_says_why_and_what_to_do(
    tmp_path: Path, failure: Exception, words: str
) -> None:
    """The engine's last words reach the caller."""
    with pytest.raises(FitFailedError, match=words) as refused:
        await ask_fit(AnsweringEngine(failure), ARGUMENTS, Overrides(), settings=Terms(tmp_path))
    assert refused.value.body.code == "fit_failed"


async def test_an_answer_of_another_shape_is_no_fit(tmp_path: Path) -> None:
    """A half answer is refused, not guessed at."""
    engine = AnsweringEngine({"batching": "sideways"})
    with pytest.raises(FitFailedError, match="cannot be read"):
        await ask_fit(engine, ARGUMENTS, Overrides(), settings=Terms(tmp_path))


def test_only_what_shapes_a_batch_is_fixed() -> None:
    """A learning rate or a number of steps is no part of the fit."""
    request = fit_request(ARGUMENTS, Overrides(max_steps=7, batching="grouped", lora_rank=4))
    assert request["fixed"] == {"batching": "grouped"}
    assert request["recipe_cutoff"]


def test_the_fit_lays_nothing_over_but_batches() -> None:
    """Learning rate and stage stay; packs are neat."""
    laid = fitted_arguments(ARGUMENTS, Fitted.model_validate(ANSWER))
    assert laid["learning_rate"] == 1e-4
    assert (laid["packing"], laid["neat_packing"], laid["cutoff_len"]) == (True, True, 512)
    assert (laid["per_device_train_batch_size"], laid["gradient_accumulation_steps"]) == (3, 2)
    assert ARGUMENTS["per_device_train_batch_size"] == 8


@given(batch=st.integers(1, 4096), steps=st.integers(1, 64))
def test_each_back_off_keeps_the_update_until_nothing_is_left(batch: int, steps: int) -> None:
    """After an overflow the micro-batch falls, the rows of an update stay."""
    arguments: dict[str, Any] | None = {
        "per_device_train_batch_size": batch,
        "gradient_accumulation_steps": steps,
        "disable_gradient_checkpointing": True,
    }
    seen = []
    while arguments:
        micro = arguments["per_device_train_batch_size"]
        assert micro * arguments["gradient_accumulation_steps"] == batch * steps
        assert not seen or micro <= seen[-1]
        seen.append(micro)
        last, arguments = arguments, smaller(arguments)
    assert last["per_device_train_batch_size"] == 1
    assert last["disable_gradient_checkpointing"] is False
    assert len(seen) <= 14


def test_the_record_keeps_what_was_chosen_predicted_probed_and_measured() -> None:
    """The run's record needs no histogram."""
    kept = record(Fitted.model_validate(ANSWER), measured_bytes=21 << 30)
    assert isinstance(kept, Fit)
    assert (kept.predicted_bytes, kept.probed_bytes, kept.measured_bytes) == (
        20 << 30,
        22 << 30,
        21 << 30,
    )
    assert kept.reasons == ["Rows are packed."]
