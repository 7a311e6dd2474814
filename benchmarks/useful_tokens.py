"""Train one LLaMA-Factory recipe and say how many useful tokens a second it learned from.

Runs in the LLaMA-Factory environment; `packing.py` starts it, a process for each measurement:

    PYTHONPATH=services/trainer/src ENGINE_PYTHON benchmarks/useful_tokens.py RECIPE.json

RECIPE.json holds LLaMA-Factory's arguments. A useful token is one of a row, no padding. The clock
runs from the end of the first update to the end of the last: the first pays for memory and kernels.
Prints one line of JSON: tokens, padded, rows, seconds, cpu_seconds, updates, parameters, device
and peak_bytes (CUDA), resident_bytes.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from trainer.engine import stand_in
from trainer.engine.sampling import steady_sampling


class Meter:
    """Counts what goes through the model, by update."""

    def __init__(self) -> None:
        self.marks: list[dict[str, float]] = []
        self.tokens = 0
        self.padded = 0
        self.rows = 0
        self.parameters = 0

    def see(self, inputs: dict[str, Any], pad: int) -> None:
        """Count a micro-batch; a pack's rows are counted by the positions that start again."""
        ids = inputs["input_ids"]
        useful = ids != pad
        self.tokens += int(useful.sum())
        self.padded += ids.numel()
        positions = inputs.get("position_ids")
        self.rows += len(ids) if positions is None else int(((positions == 0) & useful).sum())

    def mark(self) -> None:
        """Note the end of an update."""
        import torch

        if torch.cuda.is_available():
            torch.cuda.synchronize()
        now = {"tokens": self.tokens, "padded": self.padded, "rows": self.rows}
        clocks = {"seconds": time.perf_counter(), "cpu_seconds": time.process_time()}
        self.marks.append({**now, **clocks})

    def report(self) -> dict[str, Any]:
        """Return the differences between the first mark and the last."""
        import torch

        first, last = self.marks[0], self.marks[-1]
        cuda = torch.cuda.is_available()
        return {
            **{name: last[name] - first[name] for name in first},
            "updates": len(self.marks) - 1,
            "parameters": self.parameters,
            "device": torch.cuda.get_device_name() if cuda else "",
            "peak_bytes": torch.cuda.max_memory_reserved() if cuda else 0,
            "resident_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }


def watch(meter: Meter) -> None:
    """Let every training step of this process be counted."""
    from transformers import Trainer

    step = Trainer.training_step

    def counted(self: Any, model: Any, inputs: dict[str, Any], *rest: Any) -> Any:
        meter.parameters = meter.parameters or model.num_parameters()
        meter.see(inputs, self.processing_class.pad_token_id)
        return step(self, model, inputs, *rest)

    Trainer.training_step = counted


def main(path: Path) -> int:
    """Train the recipe at `path` and print the figures."""
    stand_in.register()
    steady_sampling()
    from llamafactory.train.tuner import run_exp
    from transformers import TrainerCallback

    meter = Meter()
    watch(meter)

    class Marks(TrainerCallback):
        """Marks the end of each update."""

        def on_step_end(self, *_: Any, **__: Any) -> None:
            """Note it."""
            meter.mark()

    run_exp(json.loads(path.read_text(encoding="utf-8")), callbacks=[Marks()])
    sys.stdout.write(f"\n{json.dumps(meter.report())}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
