"""What LLaMA-Factory learns of a dataset, turn by turn: its own loader, template and collation.

    PYTHONPATH=services/trainer/src ENGINE_PYTHON tests/e2e/learned_turns.py < arguments.json

Runs in the LLaMA-Factory environment. Prints one line of JSON, the last: for each split its rows,
each a list of [learned, text] for the stretches of tokens in their order, and the longest row.
"""

import json
import sys
from itertools import groupby
from typing import Any

from trainer.engine import stand_in

IGNORED = -100  # LLaMA-Factory's IGNORE_INDEX: a token that is read and not learned


def stretches(tokenizer: Any, ids: list[int], labels: list[int]) -> list[tuple[bool, str]]:
    """Return the row as stretches of learned and of masked tokens, decoded.

    Raises ValueError where a label is another token than the one that is read there.
    """
    if any(label not in (IGNORED, token) for token, label in zip(ids, labels, strict=True)):
        raise ValueError("a label is not the token at its place")
    marked = list(zip(ids, (label != IGNORED for label in labels), strict=True))
    return [
        (learned, tokenizer.decode([token for token, _ in part], skip_special_tokens=False))
        for learned, part in groupby(marked, key=lambda pair: pair[1])
    ]


def report(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return what each split is to LLaMA-Factory."""
    from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
    from llamafactory.hparams import get_train_args
    from llamafactory.model import load_tokenizer

    model, data, training, _, _ = get_train_args(arguments)
    module = load_tokenizer(model)
    template = get_template_and_fix_tokenizer(module["tokenizer"], data)
    made = get_dataset(template, model, data, training, stage="sft", **module)
    found: dict[str, Any] = {"eos": module["tokenizer"].eos_token, "longest": 0}
    for split in ("train_dataset", "eval_dataset"):
        rows = made[split]
        if isinstance(rows, dict):
            [rows] = rows.values()
        found[split] = [
            stretches(module["tokenizer"], row["input_ids"], row["labels"]) for row in rows
        ]
        found["longest"] = max(found["longest"], *(len(row["input_ids"]) for row in rows))
    return found


if __name__ == "__main__":
    stand_in.register()
    sys.stdout.write(json.dumps(report(json.load(sys.stdin))) + "\n")
