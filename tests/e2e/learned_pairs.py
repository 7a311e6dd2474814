"""What LLaMA-Factory compares in preference training: its own loader, template and collation.

    PYTHONPATH=services/trainer/src ENGINE_PYTHON tests/e2e/learned_pairs.py < arguments.json

Runs in the LLaMA-Factory environment. Prints one line of JSON, the last one: for each split its
pairs, each the learned text of the chosen and of the rejected reply, and the model's end mark.
"""

import json
import sys
from typing import Any

from learned_turns import stretches

from trainer.engine import stand_in


def learned(tokenizer: Any, row: dict[str, Any], side: str) -> str:
    """Return the words of one side that the loss looks at."""
    parts = stretches(tokenizer, row[f"{side}_input_ids"], row[f"{side}_labels"])
    return "".join(text for is_learned, text in parts if is_learned)


def report(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return what each split of pairs is to LLaMA-Factory."""
    from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
    from llamafactory.hparams import get_train_args
    from llamafactory.model import load_tokenizer

    model, data, training, _, _ = get_train_args(arguments)
    module = load_tokenizer(model)
    template = get_template_and_fix_tokenizer(module["tokenizer"], data)
    made = get_dataset(template, model, data, training, stage="rm", **module)
    found: dict[str, Any] = {"eos": module["tokenizer"].eos_token}
    for split in ("train_dataset", "eval_dataset"):
        rows = made[split]
        if isinstance(rows, dict):
            [rows] = rows.values()
        found[split] = [
            [learned(module["tokenizer"], row, side) for side in ("chosen", "rejected")]
            for row in rows
        ]
    return found


if __name__ == "__main__":
    stand_in.register()
    json.dump(report(json.load(sys.stdin)), sys.stdout)
