"""What we hang into the Trainer beside progress and checkpoints: plateau stop and hooks."""

import math
from typing import Any

from transformers import TrainerCallback

from trainer.engine.files import RunFiles
from trainer.engine.plateau import Plateau, Verdict
from trainer.engine.progress import Progress
from trainer.engine.ranks import Ranks
from trainer.engine.saving import VerifiedCheckpoints
from trainer.engine.storage import StorageFullError


class PlateauStop(TrainerCallback):  # type: ignore[misc]
    """Ends the training where the losses say that more of it is of no use.

    All processes see the same losses, so all of them decide the same.

    Args:
        files: of the run.
        plateau: the score; also kept where nothing is stopped by it.
        stops: whether it stops the run.
        first: whether this process writes.
    """

    def __init__(self, files: RunFiles, plateau: Plateau, *, stops: bool, first: bool) -> None:
        self.files = files
        self.plateau = plateau
        self.stops = stops
        self.first = first
        self.evaluated = -1
        self.said = ""

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Take in what was logged before the checkpoint that the run goes on from."""
        self.plateau.replay(state.log_history)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Score a train loss or a held-out loss.

        A verdict on a train loss is confirmed by an evaluation of the same step first.
        """
        step = state.global_step
        verdict = None
        if math.isfinite(loss := (logs or {}).get("loss", math.nan)):
            verdict = self.plateau.train(step, loss)
        elif math.isfinite(loss := (logs or {}).get("eval_loss", math.nan)):
            verdict = self.plateau.evaluate(step, loss)
            self.evaluated = step
        if verdict is None or not self.stops or step >= state.max_steps:
            return
        if args.do_eval and self.evaluated < step:
            control.should_evaluate = True
        else:
            self.stop(verdict, state, control)

    def stop(self, verdict: Verdict, state: Any, control: Any) -> None:
        """Have the Trainer save and stop."""
        control.should_save = True
        control.should_training_stop = True
        self.said = f"{verdict.reason}: {verdict.detail}"

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Write down why the training stops, before the checkpoint is sealed that it stops with."""
        if self.said and self.first:
            figures = {"saved_steps": float(state.max_steps - state.global_step)}
            self.files.event("stop", state.global_step, figures, self.said)


class Hooks:
    """Hears of each micro-batch, and guards each save: `seams.Listener`.

    Args:
        progress: remembers the micro-batches and counts their tokens.
        keep: looks for room.
        ranks: the processes that train together.
    """

    def __init__(self, progress: Progress, keep: VerifiedCheckpoints, ranks: Ranks) -> None:
        self.progress = progress
        self.keep = keep
        self.ranks = ranks

    def batch(self, trainer: Any, step: int, inputs: dict[str, Any], ids: Any, loss: Any) -> None:
        """Remember a micro-batch."""
        self.keep.trainer = trainer
        self.progress.window.batch(step, ids, loss)
        self.progress.speed.throughput.batch(inputs, trainer.processing_class.pad_token_id)

    def fetched(self, seconds: float) -> None:
        """Count the wait for the rows of a step."""
        self.progress.speed.pace.waited(seconds)

    def gradient(self, norm: Any) -> None:
        """Remember a gradient norm."""
        self.progress.window.gradient(norm)

    def before_save(self, trainer: Any) -> None:
        """Refuse to save weights that are no numbers, or a checkpoint that would be cut off.

        Raises NonFiniteLossError or StorageFullError, in all processes.
        """
        trained = [each for each in trainer.model.parameters() if each.requires_grad]
        device = trainer.args.device
        if self.ranks.any(not all_finite(trained), device):
            self.progress.give_up(trainer.state, "a weight", trainer.processing_class)
        reason = self.keep.room(trained) if self.ranks.first else ""
        if self.ranks.agree(bool(reason), device):
            raise StorageFullError(reason)

    def save_failed(self, trainer: Any, error: Exception) -> None:
        """Remove what was half written where the volume is full. Raises StorageFullError then."""
        if self.ranks.first:
            name = f"checkpoint-{trainer.state.global_step}"
            self.keep.discard(self.keep.files.checkpoints / name, error)


def all_finite(tensors: list[Any]) -> bool:
    """Return whether every weight is a number; of sharded ones, those that lie here."""
    import torch

    here = [each.to_local() if hasattr(each, "to_local") else each for each in tensors]
    with torch.no_grad():
        flags = [torch.isfinite(each).all() for each in here]
    return not flags or bool(torch.stack(flags).all())
