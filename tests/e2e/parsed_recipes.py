"""Read LLaMA-Factory arguments with LLaMA-Factory's own parser, as a run does.

    <engine python> tests/e2e/parsed_recipes.py < arguments-by-name.json > verdicts.json

Runs in the LLaMA-Factory environment. A verdict holds `error` (empty where the parser took the
arguments) and, under `changed`, what the parser made of a value that it did not take as it was.
"""

import json
import sys
from typing import Any

from trainer.engine import stand_in

stand_in.register()

from llamafactory.hparams import get_train_args  # noqa: E402

# The parser makes lists of these, and takes a token of a pack away for its padding.
WRITTEN_OTHERWISE = frozenset(
    {"dataset", "eval_dataset", "adapter_name_or_path", "report_to", "lora_target", "cutoff_len"}
)


def verdict(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return what the parser says of one set of arguments."""
    try:
        parsed = get_train_args(dict(arguments))
    except (ValueError, TypeError, AssertionError, OSError, ImportError) as error:
        return {"error": f"{type(error).__name__}: {error}", "changed": {}}
    found = {key: value for part in parsed for key, value in vars(part).items()}
    kept = {key: found[key] for key in arguments if key in found and key not in WRITTEN_OTHERWISE}
    changed = {key: str(kept[key]) for key in kept if kept[key] != arguments[key]}
    missing = {key: "no such argument" for key in arguments if key not in found}
    return {"error": "", "changed": changed | missing}


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    json.dump({name: verdict(arguments) for name, arguments in asked.items()}, sys.stdout)
