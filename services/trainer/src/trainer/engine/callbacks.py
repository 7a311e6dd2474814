"""What we hang into the Trainer: progress, verified checkpoints, cancelling, a finite loss."""

import math
import time
from typing import Any

from transformers import TrainerCallback

from trainer.engine import checkpoints
from trainer.engine.failpoint import reach
from trainer.engine.files import RunFiles, write_atomic

RANK_SECONDS = 0.5  # rank files are for people and scrapes; more often costs training time


class StopRequested(Exception):
    """Somebody cancelled the run; the newest checkpoint is sealed."""


class NonFiniteLossError(Exception):
    """The loss or the gradient is no number any more."""


class Progress(TrainerCallback):  # type: ignore[misc]
    """Tells how far the run is: every logged figure as an event, the step in `rank-0.json`.

    Args:
        files: of the run.
        known: figures that each rank file repeats (process id, versions, resumed step).
    """

    def __init__(self, files: RunFiles, known: dict[str, Any]) -> None:
        self.files = files
        self.known = known
        self.figures: dict[str, float] = {}
        self.summary: dict[str, float] = {}
        self.written = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Say that training starts, and from which step."""
        figures = {"max_steps": float(state.max_steps)}
        if not state.is_world_process_zero:
            return
        self.files.event("start", state.global_step, figures)
        self.rank(state, "train")

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Keep the rank file fresh."""
        if time.monotonic() - self.written >= RANK_SECONDS and state.is_world_process_zero:
            self.rank(state, "train")

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Write the logged figures down; stop the run at the first that is no number."""
        figures = {key: float(value) for key, value in (logs or {}).items() if is_number(value)}
        if not state.is_world_process_zero or not figures:
            return
        if "train_loss" in figures:  # the Trainer's sums start at zero again after a resume
            self.summary = {} if self.known["resumed_from"] else figures
            return
        kind = "eval" if "eval_loss" in figures else "log"
        finite = {key: value for key, value in figures.items() if math.isfinite(value)}
        bad = sorted(set(figures) - set(finite))
        self.files.event(kind, state.global_step, finite, f"not finite: {bad}" if bad else "")
        self.figures |= finite
        self.rank(state, "train")
        if bad:
            raise NonFiniteLossError(f"{', '.join(bad)} at step {state.global_step}")

    def rank(self, state: Any, stage: str) -> None:
        """Replace `rank-0.json`."""
        self.written = time.monotonic()
        document = {
            **self.known,
            "stage": stage,
            "step": state.global_step,
            "max_steps": state.max_steps,
            "at": time.time(),
            "figures": self.figures,
        }
        write_atomic(self.files.rank, document, durable=False)


class VerifiedCheckpoints(TrainerCallback):  # type: ignore[misc]
    """Seals each checkpoint after the Trainer wrote it, rotates by step, and stops when cancelled.

    Args:
        files: of the run.
        keep: how many of the newest verified checkpoints stay, beside the best.
    """

    def __init__(self, files: RunFiles, keep: int) -> None:
        self.files = files
        self.keep = keep
        self.stopping = False
        self.measured: tuple[int, float | None] = (-1, None)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Measure at the last step, so that its checkpoint can be compared with the others.

        When cancelled: log and save what there is; `on_save` then stops the run.
        """
        if state.global_step >= state.max_steps and args.do_eval:
            control.should_evaluate = True
        if self.files.cancel.exists():
            self.stopping = True
            control.should_log = True
            control.should_save = True

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: Any = None, **_: Any
    ) -> None:
        """Remember the loss on the held-out split, for the manifest of this step's checkpoint."""
        self.measured = (state.global_step, (metrics or {}).get("eval_loss"))

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Spare the evaluation after training: the last step was measured just now."""
        args.do_eval = False

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Seal the checkpoint that was just written. Raises StopRequested."""
        if state.is_world_process_zero:
            step, loss = self.measured
            path = self.files.checkpoints / f"checkpoint-{state.global_step}"
            checkpoints.seal(path, state.global_step, loss if step == state.global_step else None)
            reach("ckpt.after_manifest")
            checkpoints.rotate(self.files.checkpoints, self.keep)
            self.files.event("save", state.global_step, {})
        if self.stopping:
            raise StopRequested


def is_number(value: Any) -> bool:
    """Return whether `value` is a plain number."""
    return isinstance(value, int | float) and not isinstance(value, bool)
