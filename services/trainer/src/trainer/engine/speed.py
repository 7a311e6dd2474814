"""How fast a run trains, and what that sums up to: everything of it that needs no torch."""

from collections.abc import Mapping
from typing import Any

from trainer.engine.memory import Architecture, architecture
from trainer.engine.mfu import compute_dtype, flops_per_token
from trainer.engine.pace import Pace
from trainer.engine.throughput import Throughput
from trainer.engine.totals import Totals


class Speed:
    """Throughput, pace and totals of one process, and the FLOPs of the run's model.

    Args:
        arguments: LLaMA-Factory's, of the run.
        earlier: the rank file that an earlier engine of the run left, if any.
    """

    def __init__(self, arguments: Mapping[str, Any], earlier: Any = None) -> None:
        known = earlier if isinstance(earlier, dict) else {}
        self.arguments = arguments
        self.throughput = Throughput()
        self.pace = Pace(known.get("pace"))
        self.totals = Totals(known.get("totals"))
        self.arch: Architecture | None = None
        self.per_token: float | None = None

    def describe(self, config: Any) -> None:
        """Take in the model's configuration, an object with `to_dict` as transformers has it."""
        self.arch = architecture(config.to_dict()) if hasattr(config, "to_dict") else None
        self.per_token = flops_per_token(self.arch, self.arguments, 0.0)

    def begin(self) -> None:
        """A step begins."""
        self.throughput.begin()
        self.pace.begin()

    def end(self, step: int) -> None:
        """Step number `step` ended."""
        self.throughput.end()
        self.pace.end(step)
        self.totals.add("steps", 1)

    def logged(self, tokens: float, samples: float, seconds: float) -> dict[str, float]:
        """Take in what all processes trained on since the last log; return what that is a second.

        Args:
            tokens: without padding.
            samples: rows; packed ones count as one.
            seconds: of the steps alone.
        """
        self.totals.add("tokens", tokens)
        self.totals.add("samples", samples)
        if samples:
            self.per_token = flops_per_token(self.arch, self.arguments, tokens / samples)
        if self.per_token is not None:
            self.totals.add("flops", tokens * self.per_token)
        if not seconds:
            return {}
        return {"samples_per_second": samples / seconds, "tokens_per_second": tokens / seconds}

    def document(self) -> dict[str, Any]:
        """Return what the rank file says of it; what is not known is None."""
        return {
            "pace": self.pace.document(),
            "totals": self.totals.document(),
            "flops_per_token": self.per_token,
            "dtype": compute_dtype(self.arguments) or None,
        }
