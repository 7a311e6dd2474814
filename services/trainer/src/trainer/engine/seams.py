"""Where we reach into the Trainer: every method of it that we wrap, in one place.

Callbacks see neither the rows of a batch nor its loss, and are called after a checkpoint was
written, not before. So these methods of `transformers.Trainer` are wrapped, each with the same
arguments and result (read in transformers 5.6; a test holds that they are there):
    training_step(model, inputs, ...)          a micro-batch: what it held, and its loss
    get_batch_samples(iterator, count, device) the rows of a step, taken from the data loader
    _get_grad_norm(model, ...)                 the gradient of a step
    _save_checkpoint(model, trial)             before a checkpoint is written, and where that fails
    _save_optimizer_and_scheduler(output_dir)  failpoints inside of a save
"""

import time
from collections.abc import Callable
from typing import Any, Protocol

from trainer.engine.failpoint import reach

WRAPPED = (
    "training_step",
    "get_batch_samples",
    "_get_grad_norm",
    "_save_checkpoint",
    "_save_optimizer_and_scheduler",
)


class Listener(Protocol):
    """What wants to know."""

    def batch(self, trainer: Any, step: int, inputs: dict[str, Any], ids: Any, loss: Any) -> None:
        """A micro-batch of optimizer step `step` was trained on."""

    def fetched(self, seconds: float) -> None:
        """The rows of a step were waited for so long."""

    def gradient(self, norm: Any) -> None:
        """A step has this gradient norm."""

    def before_save(self, trainer: Any) -> None:
        """A checkpoint is about to be written. Raises what forbids it."""

    def save_failed(self, trainer: Any, error: Exception) -> None:
        """A checkpoint was not written to its end. Raises a better error, or returns."""


def listen(listener: Listener) -> None:
    """Wrap the Trainer's methods, for the rest of this process."""
    from transformers import Trainer

    original = {name: getattr(Trainer, name) for name in WRAPPED}

    def training_step(self: Any, model: Any, inputs: Any, *rest: Any, **named: Any) -> Any:
        kept = dict(inputs)  # the step may take entries out
        loss = original["training_step"](self, model, inputs, *rest, **named)
        listener.batch(self, self.state.global_step + 1, kept, kept.get("input_ids"), loss)
        return loss

    def get_grad_norm(self: Any, *given: Any, **named: Any) -> Any:
        norm = original["_get_grad_norm"](self, *given, **named)
        listener.gradient(norm)
        return norm

    def save_checkpoint(self: Any, *given: Any, **named: Any) -> None:
        listener.before_save(self)
        try:
            original["_save_checkpoint"](self, *given, **named)
        except Exception as error:
            listener.save_failed(self, error)
            raise

    def save_optimizer(self: Any, output_dir: str) -> None:
        reach("ckpt.after_model")
        original["_save_optimizer_and_scheduler"](self, output_dir)
        reach("ckpt.after_optimizer")

    fetch = timed(original["get_batch_samples"], listener.fetched)
    replaced: tuple[Any, ...] = (training_step, fetch, get_grad_norm, save_checkpoint)
    for name, function in zip(WRAPPED, (*replaced, save_optimizer), strict=True):
        setattr(Trainer, name, function)


def timed(method: Callable[..., Any], told: Callable[[float], None]) -> Callable[..., Any]:
    """Return a method that does the same and tells how many seconds it took."""

    def wrapped(self: Any, *given: Any, **named: Any) -> Any:
        began = time.perf_counter()
        found = method(self, *given, **named)
        told(time.perf_counter() - began)
        return found

    return wrapped
