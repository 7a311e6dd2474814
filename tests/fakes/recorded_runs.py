"""Training runs as the trainer lists them, each with a log that fits its record."""

import math
import random
from datetime import timedelta
from typing import Any

from contracts.identity import now
from contracts.run import RunEvent, RunRecord

GIB = 1 << 30
PLANNED = 900
LOGGING_STEPS, EVAL_STEPS = 5, 40
FLAT = {
    "id": "tonesmith-20261122-3f9a1c",
    "state": "done",
    "step": 420,
    "max_steps": PLANNED,
    "loss": 0.2183,
    "eval_loss": 0.2507,
    "best_step": 380,
    "model_id": "tonesmith-20261122-3f9a1c",
    "stop": {
        "reason": "flat",
        "step": 420,
        "best_step": 380,
        "saved_steps": 480,
        "detail": "the smoothed loss fell by 0.3 % in 90 steps; two evaluations brought nothing",
    },
    "fit": {
        "batching": "packed",
        "cutoff_len": 1024,
        "micro_batch": 6,
        "accumulation": 2,
        "useful_ratio": 0.97,
        "card_bytes": 24 * GIB,
        "predicted_bytes": int(21.6 * GIB),
        "probed_bytes": int(22.1 * GIB),
        "measured_bytes": int(22.3 * GIB),
    },
    "metrics": {"perplexity": 1.285, "bleu-4": 41.7, "rouge-l": 58.2},
}
OVERFIT = {
    "id": "tonesmith-20261121-b07e52",
    "state": "done",
    "step": 300,
    "max_steps": 600,
    "loss": 0.0712,
    "eval_loss": 0.4102,
    "stop": {"reason": "overfit", "step": 300, "best_step": 180, "saved_steps": 300},
    "fit": {"batching": "grouped", "micro_batch": 16, "accumulation": 1},
}
FAILED = {
    "id": "butler-20261121-9d41aa",
    "state": "failed",
    "step": 37,
    "max_steps": 600,
    "error": {"code": "non_finite_loss", "message": "the loss is no number at step 37"},
}
WHOLE = {
    "id": "tonesmith-20261120-5c0d17",
    "state": "done",
    "step": 240,
    "max_steps": 240,
    "loss": 0.3011,
    "eval_loss": 0.3122,
    "best_step": 240,
    "fit": {"batching": "plain", "micro_batch": 16, "accumulation": 1},
}


def recorded(known: dict[str, Any]) -> RunRecord:
    """Return a run with these values."""
    request = {
        "dataset_id": "styled-20261122-77ab01",
        "recipe": "qlora",
        "base_model": "qwen3-1.7b",
    }
    return RunRecord.model_validate({"request": request, "created_at": now()} | known)


def recorded_runs() -> list[RunRecord]:
    """Return four runs, the newest first: flat, overfit, failed, and one to its last step."""
    runs = [recorded(known) for known in (FLAT, OVERFIT, FAILED, WHOLE)]
    return [
        run.model_copy(update={"created_at": now() - timedelta(hours=age)})
        for age, run in enumerate(runs)
    ]


def run_log(run: RunRecord) -> list[RunEvent]:
    """Return a log that falls as losses do, up to the step of the record."""
    noise = random.Random(run.id)
    overfits = bool(run.stop and run.stop.reason == "overfit")
    floor = run.loss or 0.3
    events = []
    for step in range(LOGGING_STEPS, run.step + 1, LOGGING_STEPS):
        smooth = floor + 2.2 * math.exp(-step / 60)
        figures = {"loss": smooth * (1 + noise.gauss(0, 0.1)), "loss_smoothed": smooth}
        events.append(RunEvent(at=now(), kind="log", step=step, figures=figures))
        if step % EVAL_STEPS == 0:
            held_out = smooth + 0.03 + (max(0, step - 180) * 0.0025 if overfits else 0)
            figures = {"eval_loss": held_out}
            events.append(RunEvent(at=now(), kind="eval", step=step, figures=figures))
    return events
