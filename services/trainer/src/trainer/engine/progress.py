"""How far a run is: events for every logged figure, and a file of each process for the last."""

import math
import time
from typing import Any

from transformers import TrainerCallback

from trainer.engine import devices, nonfinite
from trainer.engine.files import RunFiles, write_atomic
from trainer.engine.nonfinite import NonFiniteLossError
from trainer.engine.plateau import Plateau
from trainer.engine.ranks import Ranks
from trainer.engine.speed import Speed
from trainer.engine.totals import is_number

RANK_SECONDS = 0.5  # rank files are for people and scrapes; more often costs training time

Figures = dict[str, float]


class Progress(TrainerCallback):  # type: ignore[misc]
    """Tells how far the run is: every logged figure as an event, the step in `rank-N.json`.

    Args:
        files: of the run.
        known: figures that each rank file repeats (process id, versions, resumed step).
        plateau: whose score goes into the rank file.
        ranks: the processes that train together.
        speed: counts what is trained on, and how long that takes.
    """

    def __init__(
        self,
        files: RunFiles,
        known: dict[str, Any],
        plateau: Plateau,
        ranks: Ranks,
        speed: Speed,
    ) -> None:
        self.files = files
        self.known = known
        self.plateau = plateau
        self.ranks = ranks
        self.speed = speed
        self.window = nonfinite.Window()
        self.tokens = 0.0  # of all processes since the run began
        self.figures: dict[str, float | str] = {}
        self.summary: Figures = {}
        self.written = 0.0
        self.logged_at: float | None = None

    def on_train_begin(
        self, args: Any, state: Any, control: Any, model: Any = None, **_: Any
    ) -> None:
        """Say that training starts, and from which step."""
        self.device = args.device
        self.speed.describe(getattr(model, "config", None))
        logged = [event["figures"] for event in self.files.known_events()]
        self.tokens = next((each["tokens"] for each in logged[::-1] if "tokens" in each), 0.0)
        if state.is_world_process_zero:
            self.files.event("start", state.global_step, {"max_steps": float(state.max_steps)})
        self.rank(state, "train")

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start the clock of a step."""
        self.speed.begin()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Keep the rank file fresh."""
        self.speed.end(state.global_step)
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
            figures |= self.rates()
        finite = {key: value for key, value in figures.items() if math.isfinite(value)}
        bad = sorted(set(figures) - set(finite))
        if state.is_world_process_zero:
            self.files.event(kind, state.global_step, finite, f"not finite: {bad}" if bad else "")
        self.figures |= finite | self.plateau.figures()
        if "grad_norm" in bad:
            self.figures["grad_norm"] = nonfinite.WORD
        self.logged_at = time.time()
        if bad or (kind == "log" and self.window.bad_steps()):
            self.give_up(state, " and ".join(bad) or "a gradient", processing_class)
        if kind == "log":
            self.window.clear()
        self.rank(state, "train")

    def rates(self) -> Figures:
        """Return tokens so far, and rows and tokens per second since the last log."""
        self.speed.throughput.settle()
        tokens, samples, seconds = self.speed.throughput.drain()
        tokens, samples = self.ranks.total([tokens, samples], self.device)
        self.tokens += tokens
        return {"tokens": self.tokens, **self.speed.logged(tokens, samples, seconds)}

    def give_up(self, state: Any, what: str, tokenizer: Any) -> None:
        """Write down the rows that did it, and raise NonFiniteLossError."""
        mine = nonfinite.evidence(self.window, tokenizer, state.global_step)
        found = nonfinite.earliest(self.ranks.gather(mine))
        self.speed.totals.add("nonfinite_steps", max(1, found.pop("bad_steps", 1)))
        if found["grad_norm"] in nonfinite.WORDS:
            self.figures["grad_norm"] = nonfinite.WORD
        if state.is_world_process_zero:
            write_atomic(self.files.nonfinite, found)
        self.rank(state, "train")
        raise NonFiniteLossError(nonfinite.sentence(found, what))

    def rank(self, state: Any, stage: str) -> None:
        """Replace `rank-N.json`."""
        self.written = time.monotonic()
        memory, counts = devices.memory()
        self.speed.totals.show(counts)
        document = {
            **self.known,
            **self.speed.document(),
            "stage": stage,
            "step": state.global_step,
            "max_steps": state.max_steps,
            "at": time.time(),
            "logged_at": self.logged_at,
            "figures": self.figures | memory | self.speed.pace.figures(state.max_steps),
        }
        write_atomic(self.files.rank, document, durable=False)
