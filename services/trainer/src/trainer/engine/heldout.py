"""Held-out rows are evaluated one by one, also where training packs them.

LLaMA-Factory 0.9.5 packs the held-out rows as it packs the others. The loss of a batch is the mean
of its tokens, so the figure would hang on which rows share a pack, and runs with other packs could
not be compared. Its loader is told here which rows are held out; nothing else of it changes.
"""

import copy
from typing import Any


def alone(arguments: Any) -> Any:
    """Return data arguments that encode as `arguments` do, without packs.

    Packing takes one token off `cutoff_len` (DataArguments.__post_init__); it is given back.
    """
    if not arguments.packing:
        return arguments
    changed = copy.copy(arguments)
    changed.packing = changed.neat_packing = False
    changed.cutoff_len = arguments.cutoff_len + 1
    return changed


def unpacked_evaluation() -> None:
    """Let LLaMA-Factory leave the held-out rows of this process's runs unpacked (stage sft)."""
    from llamafactory.data import loader

    preprocess = loader._get_preprocessed_dataset

    def preprocessed(
        dataset: Any, data_args: Any, training_args: Any, stage: str, *rest: Any, **more: Any
    ) -> Any:
        if more.get("is_eval") and stage == "sft":
            data_args = alone(data_args)
        return preprocess(dataset, data_args, training_args, stage, *rest, **more)

    loader._get_preprocessed_dataset = preprocessed
