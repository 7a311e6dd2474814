"""Train a few steps as LLaMA-Factory does, and report what a row sees of its neighbours in a pack.

    PYTHONPATH=services/trainer/src ENGINE_PYTHON tests/e2e/packing_report.py < arguments.json

Runs in the LLaMA-Factory environment. The batches are the Trainer's own, as they reach the model.
Prints one line of JSON, the last: the largest differences over all rows of all batches.
"""

import json
import sys
from typing import Any

import torch

from trainer.engine import stand_in
from trainer.engine.sampling import steady_sampling

SEEN: list[dict[str, Any]] = []


def rows_of(inputs: dict[str, Any]) -> list[tuple[int, int, int]]:
    """Return (batch, start, end) of each row: its positions count up from 0."""
    found = []
    for number, positions in enumerate(inputs["position_ids"].tolist()):
        starts = [at for at, position in enumerate(positions) if position == 0]
        ends = [*starts[1:], len(positions)]
        found += [(number, a, b) for a, b in zip(starts, ends, strict=True) if b - a > 1]
    return found


def row_loss(logits: torch.Tensor, labels: torch.Tensor) -> float:
    """Return the mean loss of the learned tokens of one row."""
    return float(torch.nn.functional.cross_entropy(logits[:-1], labels[1:], ignore_index=-100))


def report(model: Any, inputs: dict[str, Any]) -> dict[str, Any]:
    """Compare each row inside its pack with the row alone, and with other neighbours."""
    model.eval()
    fed = {name: value for name, value in inputs.items() if name != "labels"}
    other = dict(fed, input_ids=fed["input_ids"].clone())
    rows = rows_of(inputs)
    first = [(number, a, b) for number, a, b in rows if a == 0]
    for number, a, b in first:
        other["input_ids"][number, a:b] = other["input_ids"][number, a:b].flip(0)
    with torch.no_grad():
        together, changed = model(**fed).logits, model(**other).logits
        found = {"alone": 0.0, "loss": 0.0, "neighbour": 0.0}
        for number, a, b in rows:
            ids, labels = inputs["input_ids"][number, a:b], inputs["labels"][number, a:b]
            single = model(input_ids=ids[None]).logits[0]
            here = together[number, a:b]
            losses = row_loss(single, labels) - row_loss(here, labels)
            found["alone"] = max(found["alone"], float((single - here).abs().max()))
            found["loss"] = max(found["loss"], abs(losses))
            if a:
                apart = float((changed[number, a:b] - here).abs().max())
                found["neighbour"] = max(found["neighbour"], apart)
    model.train()
    mask = inputs["attention_mask"]
    return {
        **found,
        "rows": len(rows),
        "packs": len(inputs["input_ids"]),
        "length": inputs["input_ids"].shape[1],
        "mask_dimensions": mask.dim(),
        "attention": model.config._attn_implementation,
    }


def main() -> int:
    """Train, and print what was seen."""
    stand_in.register()
    steady_sampling()
    from llamafactory.train.tuner import run_exp
    from transformers import Trainer

    step, evaluate = Trainer.training_step, Trainer.prediction_step
    evaluated: list[list[int]] = []

    def training_step(self: Any, model: Any, inputs: dict[str, Any], *rest: Any) -> Any:
        SEEN.append(report(model, inputs))
        return step(self, model, inputs, *rest)

    def prediction_step(
        self: Any, model: Any, inputs: dict[str, Any], *rest: Any, **more: Any
    ) -> Any:
        evaluated.append(list(inputs["input_ids"].shape))
        return evaluate(self, model, inputs, *rest, **more)

    Trainer.training_step, Trainer.prediction_step = training_step, prediction_step
    run_exp(json.load(sys.stdin), callbacks=[])
    worst = {name: max(each[name] for each in SEEN) for name in ("alone", "loss", "neighbour")}
    rows = sum(each["rows"] for each in SEEN)
    sys.stdout.write(
        f"\n{json.dumps({**SEEN[0], **worst, 'rows': rows, 'evaluated': evaluated})}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
