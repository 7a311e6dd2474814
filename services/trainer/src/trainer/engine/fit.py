"""Fit a run to its rows and its card: a JSON request on stdin, a JSON answer on stdout.

    python -m trainer.engine.fit < request.json > answer.json

The request: {arguments, fixed, recipe_cutoff, card_bytes, band, world_size, probe, cache,
dataset_info}; `trainer.fitting` makes it and reads the answer. On a CPU nothing is probed.
"""

import contextlib
import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trainer.engine import memory
from trainer.engine.batching import Asked, Choice, choose, kept
from trainer.engine.parent import die_with_parent
from trainer.engine.probe import smallest_card
from trainer.engine.sizing import Sizes, planned
from trainer.engine.survey import survey

POSITIONS = 1 << 20  # for a model whose config names no limit
# On a CPU a pair of tokens costs more than its multiplications: exponentials and memory. Fitted to
# packs of 512 and 1024 tokens against groups, on two cores with the starter (docs/log.md).
CPU_PAIR = 2.5


def main() -> int:
    """Read the request from standard input, write the answer to standard output."""
    die_with_parent()
    logging.basicConfig(level="WARNING", stream=sys.stderr)
    request = json.load(sys.stdin)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # libraries print; the answer stands alone
            answer = fit(request)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    json.dump(answer, sys.stdout, ensure_ascii=False)
    return 0


def fit(
    request: dict[str, Any], find_card: Callable[[], int | None] = smallest_card
) -> dict[str, Any]:
    """Return the answer to a request.

    Args:
        request: as `trainer.fitting.fit_request` makes it.
        find_card: returns the memory of this machine's smallest card, or None.

    Raises:
        ValueError: the run cannot be fitted.
    """
    arguments = request["arguments"]
    cache = Path(request["cache"]) if request.get("cache") else None
    found = survey(arguments, request.get("dataset_info"), cache)
    config = read_config(arguments)
    arch = memory.architecture(config)
    card = int(request["card_bytes"]) if request.get("card_bytes") else find_card()
    asked = asked_of(request, config, arch, card=card is not None)
    choice = choose(found["histogram"], asked)
    sizes = planned(request, asked, choice, arch, card)
    return answer_of(request, found, asked, choice, sizes, card)


def read_config(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the base's config.json; an empty one where there is none."""
    path = Path(arguments["model_name_or_path"]) / "config.json"
    if not path.is_file():
        return {}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def asked_of(
    request: dict[str, Any], config: dict[str, Any], arch: memory.Architecture | None, *, card: bool
) -> Asked:
    """Return what the run wants of its batches."""
    arguments = request["arguments"]
    fixed = dict(request.get("fixed") or {})
    stage = str(arguments.get("stage") or "sft")
    if stage == "sft" and arguments.get("packing"):
        fixed.setdefault("batching", "packed")  # the recipe says so
    text = config.get("text_config") or config
    return Asked(
        stage=stage,
        micro=int(arguments.get("per_device_train_batch_size") or 1),
        accumulation=int(arguments.get("gradient_accumulation_steps") or 1),
        cutoff=int(arguments.get("cutoff_len") or 2048),
        fixed=fixed,
        recipe_cutoff=bool(request.get("recipe_cutoff", True)),
        world_size=int(request.get("world_size") or 1),
        card=card,
        pair_cost=(arch.pair_cost if arch else 0.0) * (1.0 if card else CPU_PAIR),
        positions=int(text.get("max_position_embeddings") or POSITIONS),
    )


def answer_of(
    request: dict[str, Any],
    found: dict[str, Any],
    asked: Asked,
    choice: Choice,
    sizes: Sizes,
    card: int | None,
) -> dict[str, Any]:
    """Return the answer as `trainer.fitting.Fitted` reads it."""
    units = sizes.micro * sizes.accumulation
    return {
        "lengths": {name: value for name, value in found.items() if name != "refused"},
        "batching": choice.way.batching,
        "cutoff_len": choice.way.cutoff_len,
        "micro_batch": sizes.micro,
        "accumulation": sizes.accumulation,
        "eval_batch": evaluated(request["arguments"], choice, sizes, card),
        "checkpointing": sizes.checkpointing,
        "rows_per_update": round(units * asked.world_size * choice.rows_per_unit, 2),
        "useful_ratio": round(choice.way.useful_ratio, 4),
        "dropped_rows": found["refused"],
        "cut_rows": choice.cut_rows,
        "card_bytes": card,
        "predicted_bytes": memory.total(sizes.predicted) if sizes.predicted else None,
        "predicted": sizes.predicted,
        "probed_bytes": sizes.probed_bytes,
        "probes": sizes.probes,
        "reasons": [
            *choice.reasons,
            kept(choice.way, units, asked),
            *sizes.reasons,
            *refused(found),
        ],
    }


def evaluated(arguments: dict[str, Any], choice: Choice, sizes: Sizes, card: int | None) -> int:
    """Return the rows of an evaluation's batch; 0: as the recipe says.

    On a card it is never larger than a micro-batch, whose training takes more.
    """
    if card is None and choice.way.batching != "packed":
        return 0
    return min(int(arguments.get("per_device_eval_batch_size") or sizes.micro), sizes.micro)


def refused(found: dict[str, Any]) -> list[str]:
    """Return what to say of rows that LLaMA-Factory does not train on."""
    count = found["refused"]
    return [f"{count} rows are no conversation and are left out."] if count else []


if __name__ == "__main__":
    sys.exit(main())
