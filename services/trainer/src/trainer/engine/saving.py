"""Verified checkpoints while training: sealed, rotated by step, and the last one when cancelled."""

import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from trainer.engine import checkpoints, storage
from trainer.engine.failpoint import reach
from trainer.engine.files import RunFiles
from trainer.engine.ranks import Ranks
from trainer.engine.storage import StorageFullError


class StopRequested(Exception):
    """Somebody cancelled the run; the newest checkpoint is sealed."""


class VerifiedCheckpoints(TrainerCallback):  # type: ignore[misc]
    """Seals each checkpoint after the Trainer wrote it, rotates by step, and stops when cancelled.

    Args:
        files: of the run.
        keep: how many of the newest verified checkpoints stay, beside the best.
        reserve: bytes that stay free on the volume.
        choose_by: what makes a checkpoint the best.
        score: measures the style of a model, where checkpoints are chosen by it.
        ranks: the processes that save together.
    """

    def __init__(
        self,
        files: RunFiles,
        keep: int,
        *,
        reserve: int = 0,
        choose_by: str = "eval_loss",
        score: Callable[[Any], tuple[float, float]] | None = None,
        ranks: Ranks | None = None,
    ) -> None:
        self.files = files
        self.keep = keep
        self.reserve = reserve
        self.choose_by = choose_by
        self.score = score
        self.ranks = ranks or Ranks()
        self.stopping = False
        self.trainer: Any = None
        self.random: Any = None
        self.measured: tuple[int, float | None, tuple[float, float] | None] = (-1, None, None)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Measure at the last step, so that its checkpoint can be compared with the others.

        When cancelled: log and save what there is; `on_save` then stops the run.
        """
        if state.global_step >= state.max_steps and args.do_eval:
            control.should_evaluate = True
        if self.ranks.agree(self.files.cancel.exists(), args.device):
            self.stopping = True
            control.should_log = True
            control.should_save = True
            control.should_evaluate = False
        if self.ranks.alone:
            self.random = random_state()

    def on_substep_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Stop between two micro-batches of a long step. Raises StopRequested."""
        self.stop_inside_a_step(state)

    def on_prediction_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Stop inside of an evaluation. Raises StopRequested."""
        self.stop_inside_a_step(state)

    def stop_inside_a_step(self, state: Any) -> None:
        """When cancelled, save what the last whole step left, and raise StopRequested.

        A process that trains with others waits for the end of the step: it is there that all of
        them look.
        """
        if not self.ranks.alone or not self.files.cancel.exists() or self.trainer is None:
            return
        self.stopping = True
        done = checkpoints.newest_sealed_step(self.files.checkpoints)
        if self.random is not None and done < state.global_step:
            restore_random(self.random)
            self.trainer._save_checkpoint(self.trainer.model, None)
            self.seal(state)
        raise StopRequested

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: Any = None, model: Any = None, **_: Any
    ) -> None:
        """Remember what was measured on held-out rows, for the manifest of this checkpoint."""
        style = None
        if self.score and model is not None:
            began = time.perf_counter()
            style = self.score(model)
            seconds = time.perf_counter() - began
            names = ("style_accuracy", "style_margin", "style_seconds")
            if state.is_world_process_zero:
                figures = dict(zip(names, (*style, seconds), strict=True))
                self.files.event("eval", state.global_step, figures)
        self.measured = (state.global_step, (metrics or {}).get("eval_loss"), style)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Spare the evaluation after training: the last step was measured just now."""
        args.do_eval = False

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Seal the checkpoint that was just written. Raises StopRequested."""
        self.ranks.meet()  # each process writes a file of its own into it
        if state.is_world_process_zero:
            self.seal(state)
        if self.stopping:
            raise StopRequested

    def seal(self, state: Any) -> None:
        """Seal the checkpoint of this step, and rotate. Raises StorageFullError."""
        step, loss, style = self.measured
        path = self.files.checkpoints / f"checkpoint-{state.global_step}"
        measured = (loss, style) if step == state.global_step else (None, None)
        try:
            checkpoints.seal(path, state.global_step, *measured)
        except OSError as error:
            self.discard(path, error)
            raise
        reach("ckpt.after_manifest")
        checkpoints.rotate(self.files.checkpoints, self.keep, self.choose_by)
        self.files.event("save", state.global_step, {})

    def room(self, trained: list[Any]) -> str:
        """Return why there is no room for the next checkpoint, or nothing; make some before."""
        folder = self.files.checkpoints
        folder.mkdir(exist_ok=True)
        weights = sum(each.numel() for each in trained)
        size = sum(each.numel() * each.element_size() for each in trained)
        needed = storage.needed_bytes(folder, weights, size) + self.reserve
        return storage.make_room(folder, needed, self.choose_by)

    def discard(self, path: Path, error: Exception) -> None:
        """Remove what was half written where the volume is full. Raises StorageFullError then."""
        if storage.is_full(error):
            shutil.rmtree(path, ignore_errors=True)
            raise StorageFullError(f"the volume is full: {error}") from error


def random_state() -> dict[str, Any]:
    """Return the state of every source of chance that a checkpoint keeps."""
    import numpy
    import torch

    return {
        "python": random.getstate(),
        "numpy": numpy.random.get_state(),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state() if torch.cuda.is_available() else None,
    }


def restore_random(state: dict[str, Any]) -> None:
    """Go back to a state that `random_state` returned."""
    import numpy
    import torch

    random.setstate(state["python"])
    numpy.random.set_state(state["numpy"])
    torch.set_rng_state(state["torch"])
    if state["cuda"] is not None:
        torch.cuda.set_rng_state(state["cuda"])
