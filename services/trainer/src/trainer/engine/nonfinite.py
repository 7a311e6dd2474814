"""Find the rows on which a loss or a gradient stopped being a number.

Every micro-batch of the current logging window is remembered, its loss as a tensor that nobody
waits for; they are looked at when the Trainer logs, which waits anyway.
"""

from dataclasses import dataclass, field
from typing import Any

ROW_CHARACTERS = 500
ROWS = 8
QUOTED_CHARACTERS = 120
# How a figure that is no number stands in our files: JSON has no word for it.
WORD = "nan"
WORDS = frozenset({"nan", "inf", "-inf"})


class NonFiniteLossError(Exception):
    """A loss, a gradient or a weight is no number any more."""


@dataclass
class Step:
    """What one optimizer step was made of: (input ids, loss) of each micro-batch, the gradient."""

    number: int
    batches: list[tuple[Any, Any]] = field(default_factory=list)
    grad_norm: Any = None


class Window:
    """The micro-batches since the last log."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.last: list[Step] = []  # the newest step of the window before

    def batch(self, step: int, input_ids: Any, loss: Any) -> None:
        """Remember a micro-batch of optimizer step `step`."""
        if not self.steps or self.steps[-1].number != step:
            self.steps.append(Step(step))
        self.steps[-1].batches.append((input_ids, loss))

    def gradient(self, norm: Any) -> None:
        """Remember the gradient norm of the newest step."""
        if self.steps:
            self.steps[-1].grad_norm = norm

    def clear(self) -> None:
        """Forget the window: all of it was fine."""
        self.last, self.steps = self.steps[-1:], []

    def bad_steps(self) -> list[Step]:
        """Return the steps with a loss or a gradient that is no number."""
        return [step for step in self.steps if bad_batch(step) is not None or bad_gradient(step)]


def bad_batch(step: Step) -> int | None:
    """Return the number of a step's first micro-batch whose loss is no number."""
    losses = [float(loss) for _, loss in step.batches]
    return next((place for place, loss in enumerate(losses) if not is_finite(loss)), None)


def bad_gradient(step: Step) -> bool:
    """Return whether a step's gradient norm is no number."""
    return step.grad_norm is not None and not is_finite(float(step.grad_norm))


def is_finite(value: float) -> bool:
    """Return whether `value` is a number, and no infinite one."""
    return value - value == 0


def evidence(window: Window, tokenizer: Any, step: int) -> dict[str, Any]:
    """Return `nonfinite.json`: the first bad step and micro-batch of the window, and its rows.

    Where only a gradient is bad the micro-batch is unknown (None), and the rows are those of the
    whole step; where the window is fine (a weight is bad, or the held-out loss), those of the
    newest step.

    Args:
        window: since the last log.
        tokenizer: of the model, to show rows as text.
        step: at which it was noticed.
    """
    bad = window.bad_steps()
    first = (bad or window.steps[-1:] or window.last or [Step(step)])[0]
    place = bad_batch(first)
    chosen = first.batches if place is None else [first.batches[place]]
    rows = [row for ids, _ in chosen if ids is not None for row in ids]
    return {
        "step": first.number,
        "micro_batch": place,
        "loss": None if place is None else str(float(first.batches[place][1])),
        "grad_norm": None if first.grad_norm is None else str(float(first.grad_norm)),
        "rows": [text(row, tokenizer) for row in rows[:ROWS]],
        "bad_steps": len(bad),
    }


def text(row: Any, tokenizer: Any) -> str:
    """Return the start of a row as the model read it, without the padding."""
    ids = [token for token in row.tolist() if token != tokenizer.pad_token_id]
    return str(tokenizer.decode(ids[:ROW_CHARACTERS], skip_special_tokens=False))[:ROW_CHARACTERS]


def earliest(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the first of what several processes found, with the process as `rank`.

    A process whose own losses are fine knows less than the one with the bad micro-batch.
    """
    named = [{**each, "rank": rank} for rank, each in enumerate(found)]
    return min(named, key=lambda each: (each["micro_batch"] is None, each["step"], each["rank"]))


def sentence(found: dict[str, Any], what: str) -> str:
    """Return what happened, with the start of the first row quoted."""
    place = "" if found["micro_batch"] is None else f", micro-batch {found['micro_batch']}"
    said = f"{what} is not a number any more at step {found['step']}{place}"
    if not found["rows"]:
        return said
    quoted = found["rows"][0][:QUOTED_CHARACTERS]
    return f"{said}, with {len(found['rows'])} rows (nonfinite.json), the first: {quoted!r}"
