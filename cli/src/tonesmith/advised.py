"""From an advice to what follows it: the command that trains, and the runs of a learning curve."""

import shlex

from contracts.advice import Advice, AdviceRequest
from contracts.run import Overrides, RunRequest

# Shares of the rows. The trainer judges by the same three: its module `curve` has them too.
FRACTIONS = (0.25, 0.5, 1.0)
# Nobody waits for a curve as for a model.
CURVE_PRIORITY = -1
CURVE_NAME = "curve"
# The most that a request may ask for.
MOST_EPOCHS = 1000.0
# Values that have an option of their own; the others are given with `--set`.
OPTIONS = {
    "num_train_epochs": "--epochs",
    "max_steps": "--steps",
    "batching": "--batching",
    "seed": "--seed",
}


def train_command(request: AdviceRequest, advice: Advice) -> str:
    """Return the command that does what was advised, and nothing else."""
    words = ["tonesmith", "train", "--dataset", request.dataset_id, "--base", request.base_model]
    words += ["--recipe", advice.recipe]
    for name, value in advice.overrides.model_dump(exclude_none=True).items():
        text = f"{value:.10g}" if isinstance(value, float) else str(value)
        words += [OPTIONS[name], text] if name in OPTIONS else ["--set", f"{name}={text}"]
    return shlex.join(words)


def curve_requests(request: AdviceRequest, advice: Advice) -> list[RunRequest]:
    """Return the runs that show whether more rows would help: as advised, on a part of them.

    A part is read as often more as it is smaller: each run has the same number of steps, so that
    the curve shows the rows and not the steps.
    """
    return [
        RunRequest(
            name=CURVE_NAME,
            dataset_id=request.dataset_id,
            base_model=request.base_model,
            recipe=advice.recipe,
            overrides=as_many_steps(advice.overrides, fraction),
            priority=CURVE_PRIORITY,
            data_fraction=fraction,
            publish=False,
        )
        for fraction in FRACTIONS
    ]


def as_many_steps(overrides: Overrides, fraction: float) -> Overrides:
    """Return the values with which a part of the rows gets as many steps as all of them."""
    epochs = overrides.num_train_epochs
    if epochs is None or overrides.max_steps is not None:
        return overrides
    return overrides.model_copy(update={"num_train_epochs": min(MOST_EPOCHS, epochs / fraction)})
