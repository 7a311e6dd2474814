"""How far a run is: events for every logged figure, and a file of each process for the last."""

import math
import time
from typing import Any

from transformers import TrainerCallback

from trainer.engine import nonfinite
from trainer.engine.files import RunFiles, write_atomic
from trainer.engine.nonfinite import NonFiniteLossError
from trainer.engine.plateau import Plateau
from trainer.engine.ranks import Ranks
from trainer.engine.throughput import Throughput

RANK_SECONDS = 0.5  # rank files are for people and scrapes; more often costs training time

Figures = dict[str, float]


class Progress(TrainerCallback):  # type: ignore[misc]
    """Tells how far the run is: every logged figure as an event, the step in `rank-N.json`.

    Args:
        files: of the run.
        known: figures that each rank file repeats (process id, versions, resumed step).
        plateau: whose score goes into the rank file.
        ranks: the processes that train together.
    """

    def __init__(
        self, files: RunFiles, known: dict[str, Any], plateau: Plateau, ranks: Ranks
    ) -> None:
        self.files = files
        self.known = known
        self.plateau = plateau
        self.ranks = ranks
        self.throughput = Throughput()
        self.window = nonfinite.Window()
        self.tokens = 0.0  # of all processes since the run began
        self.figures: Figures = {}
        self.summary: Figures = {}
        self.written = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Say that training starts, and from which step."""
        self.device = args.device
        logged = [event["figures"] for event in self.files.known_events()]
        self.tokens = next((each["tokens"] for each in logged[::-1] if "tokens" in each), 0.0)
        if state.is_world_process_zero:
            self.files.event("start", state.global_step, {"max_steps": float(state.max_steps)})
        self.rank(state, "train")

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start the clock of a step."""
        self.throughput.begin()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Keep the rank file fresh."""
        self.throughput.end()
        if time.monotonic() - self.written >= RANK_SECONDS:
            self.rank(state, "train")

    def on_log(
        self,
        args: Any,
        state: Any,
        control: Any,
        logs: Any = None,
        processing_class: Any = None,
        **_: Any,
    ) -> None:
        """Write the logged figures down; stop the run at the first that is no number.

        Raises NonFiniteLossError, in all processes: their logged figures are the same.
        """
        figures = {key: float(value) for key, value in (logs or {}).items() if is_number(value)}
        if not figures:
            return
        if "train_loss" in figures:  # the Trainer's sums start at zero again after a resume
            self.summary = {} if self.known["resumed_from"] is not None else figures
            return
        kind = "eval" if "eval_loss" in figures else "log"
        if kind == "log":
            figures |= self.speed()
        finite = {key: value for key, value in figures.items() if math.isfinite(value)}
        bad = sorted(set(figures) - set(finite))
        if state.is_world_process_zero:
            self.files.event(kind, state.global_step, finite, f"not finite: {bad}" if bad else "")
        self.figures |= finite | self.plateau.figures() | memory()
        if bad or (kind == "log" and self.window.bad_steps()):
            self.give_up(state, " and ".join(bad) or "a gradient", processing_class)
        if kind == "log":
            self.window.clear()
        self.rank(state, "train")

    def speed(self) -> Figures:
        """Return tokens so far, and rows and tokens per second since the last log."""
        tokens, samples, seconds = self.throughput.drain()
        tokens, samples = self.ranks.total([tokens, samples], self.device)
        self.tokens += tokens
        rates = {"samples_per_second": samples / seconds, "tokens_per_second": tokens / seconds}
        return {"tokens": self.tokens, **(rates if seconds else {})}

    def give_up(self, state: Any, what: str, tokenizer: Any) -> None:
        """Write down the rows that did it, and raise NonFiniteLossError."""
        mine = nonfinite.evidence(self.window, tokenizer, state.global_step)
        found = nonfinite.earliest(self.ranks.gather(mine))
        self.figures["nonfinite_steps"] = float(max(1, found.pop("bad_steps", 1)))
        if state.is_world_process_zero:
            write_atomic(self.files.nonfinite, found)
        self.rank(state, "train")
        raise NonFiniteLossError(nonfinite.sentence(found, what))

    def rank(self, state: Any, stage: str) -> None:
        """Replace `rank-N.json`."""
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


def memory() -> Figures:
    """Return the peak memory of this process's card in bytes, where there is one."""
    import torch

    if not torch.cuda.is_available():
        return {}
    return {
        "memory_peak_allocated_bytes": float(torch.cuda.max_memory_allocated()),
        "memory_peak_reserved_bytes": float(torch.cuda.max_memory_reserved()),
    }


def is_number(value: Any) -> bool:
    """Return whether `value` is a plain number."""
    return isinstance(value, int | float) and not isinstance(value, bool)
