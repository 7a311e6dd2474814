"""A run whose rows were counted before, so that a fit needs no engine."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainer.engine.survey import key, summary

QWEN3_SMALL = {
    "model_type": "qwen3",
    "hidden_size": 1024,
    "intermediate_size": 3072,
    "num_hidden_layers": 28,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "vocab_size": 151_936,
    "tie_word_embeddings": True,
    "max_position_embeddings": 40_960,
    "dtype": "bfloat16",
}


def surveyed(
    folder: Path,
    lengths: list[int],
    *,
    config: Mapping[str, Any] = QWEN3_SMALL,
    refused: int = 0,
    **arguments: Any,
) -> dict[str, Any]:
    """Return a fit request on rows of these lengths, whose survey lies in its cache.

    Args:
        folder: gets the base, the dataset and the cache.
        lengths: tokens of each row.
        config: the base's config.json.
        refused: rows that LLaMA-Factory refused.
        arguments: changes to the run's arguments.
    """
    base, rows, cache = folder / "base", folder / "rows", folder / "cache"
    for each in (base, rows, cache):
        each.mkdir(exist_ok=True)
    (base / "config.json").write_text(json.dumps(config))
    (base / "tokenizer.json").write_text("{}")
    (rows / "train.json").write_text(json.dumps(lengths))
    (rows / "dataset_info.json").write_text(json.dumps({"train": {"file_name": "train.json"}}))
    run = {
        "stage": "sft",
        "finetuning_type": "lora",
        "lora_rank": 16,
        "bf16": True,
        "model_name_or_path": str(base),
        "dataset_dir": str(rows),
        "dataset": "train",
        "template": "qwen3_nothink",
        "per_device_train_batch_size": 8,
        "per_device_eval_batch_size": 16,
        "gradient_accumulation_steps": 2,
        "cutoff_len": 1024,
        **arguments,
    }
    found = summary(lengths, sum(lengths) // 2, len(lengths) + refused)
    described = json.loads((rows / "dataset_info.json").read_text())
    (cache / f"{key(run, described)}.json").write_text(json.dumps(found))
    return {"arguments": run, "fixed": {}, "recipe_cutoff": True, "cache": str(cache)}
