"""How often a run logs, measures and saves, and when its loss counts as flat. Pure."""

import math
from collections.abc import Mapping
from typing import Any

from contracts.run import Overrides
from trainer.engine.plateau import EVAL_PATIENCE, MIN_DELTA

# What the plateau's numbers rest on, beside the engine's EVAL_PATIENCE and MIN_DELTA: a run's
# evaluations at least, and the logged losses between two of them (a trend needs three).
EVALUATIONS = 10
LOGS_PER_EVALUATION = 3


def planned_steps(arguments: Mapping[str, Any], rows_per_update: float, train_rows: int) -> int:
    """Return how many steps a run has that is not stopped early, as the Trainer counts them."""
    if (steps := int(arguments["max_steps"])) > 0:
        return steps
    epochs = float(arguments["num_train_epochs"])
    return math.ceil(epochs * epoch_steps(rows_per_update, train_rows))


def epoch_steps(rows_per_update: float, train_rows: int) -> int:
    """Return how many steps see every row once."""
    return max(1, math.ceil(train_rows / max(rows_per_update, 1.0)))


def paced(
    arguments: Mapping[str, Any], rows_per_update: float, train_rows: int, overrides: Overrides
) -> dict[str, Any]:
    """Return the arguments with logging, evaluation and saving fitted to the length of the run.

    A run is measured at least ten times, twice in an epoch up to twenty times, and more often where
    the recipe says so: with few points neither a flat nor a rising loss can be told. It saves where
    it measures, so that the best measured step is one that can be taken. What the request says
    stays.
    """
    steps = planned_steps(arguments, rows_per_update, train_rows)
    evaluates = arguments["eval_strategy"] == "steps"
    often = int((arguments["eval_steps"] if evaluates else None) or arguments["save_steps"])
    half = max(epoch_steps(rows_per_update, train_rows) // 2, steps // (2 * EVALUATIONS))
    gap = min(often, steps // EVALUATIONS, half)
    logs = max(LOGS_PER_EVALUATION, math.ceil(gap / int(arguments["logging_steps"])))
    log = max(1, gap // logs)
    gap = max(log, gap // log * log)
    save = overrides.save_steps or overrides.eval_steps or gap
    measure = overrides.eval_steps or max(save, gap // save * save)
    return {
        **arguments,
        "logging_steps": largest_divisor(save, log),
        "eval_steps": measure if evaluates else None,
        "save_steps": save,
    }


def largest_divisor(number: int, limit: int) -> int:
    """Return the largest divisor of `number` that is not above `limit`."""
    return next(part for part in range(min(number, limit), 0, -1) if number % part == 0)


def plateau_plan(
    arguments: Mapping[str, Any], rows_per_update: float, train_rows: int
) -> dict[str, int | float] | None:
    """Return the plateau's numbers for plan.json, or None where the run is too short to be judged.

    All are in steps but `eval_patience`, which is in evaluations (0: there are none to confirm).
    The smoothing's half-life is the time between two evaluations, at least a twentieth of the run;
    loss and held-out loss both have three such times to improve. Nothing stops before the warm-up
    is over and every row was seen once, in a run of one or two epochs a third of it.
    """
    steps = planned_steps(arguments, rows_per_update, train_rows)
    measure = arguments["eval_steps"] if arguments["eval_strategy"] == "steps" else None
    beat = max(int(measure or arguments["save_steps"]), steps // (2 * EVALUATIONS))
    patience = EVAL_PATIENCE * beat
    seen = min(epoch_steps(rows_per_update, train_rows), steps // 3)
    min_steps = int(arguments["warmup_steps"]) + max(patience, seen)
    if min_steps >= steps:
        return None
    return {
        "min_delta": MIN_DELTA,
        "half_life": beat,
        "window": patience,
        "patience": patience,
        "min_steps": min_steps,
        "eval_patience": math.ceil(patience / measure) if measure else 0,
    }
