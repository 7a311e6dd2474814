"""Measure the chosen checkpoint on held-out chats, exactly as it was trained.

The rows are encoded by the training's own code: same template, thinking flag, cutoff, and the
conditioning that is in the rows. Every stage is measured on chats, so that a model before and after
preference training can be compared.
"""

import gc
import json
import logging
import math
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from trainer.engine.checkpoints import Checkpoint
from trainer.engine.files import RunFiles

IGNORED = -100  # the label of what carries no loss, in transformers and LLaMA-Factory
LOSS_ROWS = 512  # a forward pass over more says the same, and takes minutes on a CPU
BATCH = 16  # rows at once; the logits of more would not fit where the training just fitted
ADAPTER = "adapter_config.json"
# Of the run's arguments, those that say how a chat is written down and how weights are held.
KEPT = (
    "model_name_or_path",
    "trust_remote_code",
    "template",
    "enable_thinking",
    "preserve_thinking",
    "cutoff_len",
    "quantization_bit",
    "flash_attn",
    "bf16",
    "per_device_eval_batch_size",
)
# LLaMA-Factory's names of its similarity figures, and ours.
NAMES = {"bleu-4": "bleu_4", "rouge-1": "rouge_1", "rouge-2": "rouge_2", "rouge-l": "rouge_l"}


def measure(
    files: RunFiles, plan: dict[str, Any], checkpoint: Checkpoint, arguments: dict[str, Any]
) -> dict[str, float]:
    """Return figures of a checkpoint; nothing where it is not asked for, or no row is held out.

    `eval_loss`: mean negative log-likelihood of a reply token in nats, each row by itself
    (unpacked), each token with the same weight; `perplexity`: its exponential. `bleu_4`, `rouge_1`,
    `rouge_2`, `rouge_l`: 0 to 100, as LLaMA-Factory's `ComputeSimilarity` reports them, of greedy
    replies; `measured_rows`: how many replies.

    Args:
        files: of the run; its `dataset_info.json` names the chats as `measure`, or else `eval`.
        plan: of the run; `measure` has `rows` and `max_new_tokens`.
        checkpoint: an adapter, or whole weights.
        arguments: what the run was trained with.
    """
    asked = plan.get("measure")
    if not asked or asked["rows"] < 1:
        return {}
    folder = prepare(files.folder, asked["rows"])
    if folder is None:
        return {}
    tokenizer, template, rows, model = load(folder, checkpoint.path, arguments)
    size = min(arguments.get("per_device_eval_batch_size", BATCH), BATCH)
    loss = token_loss(model, tokenizer, rows, size)
    chosen = spread(rows, asked["rows"])
    stops = sorted(template.get_stop_token_ids(tokenizer))
    scores = similarity(model, tokenizer, chosen, size, asked["max_new_tokens"], stops)
    perplexity = math.exp(min(loss, 700.0))  # math.exp overflows above 709
    return {"eval_loss": loss, "perplexity": perplexity, **scores, "measured_rows": len(chosen)}


def prepare(run: Path, rows: int) -> Path | None:
    """Write the chats to measure into a folder of their own, which LLaMA-Factory reads.

    None where the run has no held-out chats.
    """
    info = json.loads((run / "dataset_info.json").read_text(encoding="utf-8"))
    chats = info.get("measure") or info.get("eval")
    if not chats or chats.get("ranking"):
        return None
    found = json.loads((run / chats["file_name"]).read_text(encoding="utf-8"))
    folder = run / "measure"
    folder.mkdir(exist_ok=True)
    text = json.dumps(spread(found, max(rows, LOSS_ROWS)), ensure_ascii=False)
    (folder / "rows.json").write_text(text, encoding="utf-8")
    described = {"measure": chats | {"file_name": "rows.json"}}
    (folder / "dataset_info.json").write_text(json.dumps(described), encoding="utf-8")
    return folder


def spread(rows: list[Any], number: int) -> list[Any]:
    """Return at most `number` of the rows, evenly spread over them: they are sorted by style."""
    step = max(1.0, len(rows) / number)
    return [rows[int(place * step)] for place in range(min(number, len(rows)))]


def load(folder: Path, checkpoint: Path, arguments: dict[str, Any]) -> tuple[Any, Any, Any, Any]:
    """Return tokenizer, template, encoded rows and the model, by LLaMA-Factory's own loaders."""
    from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
    from llamafactory.hparams import get_train_args
    from llamafactory.model import load_model, load_tokenizer

    gc.collect()  # the Trainer's model is in cycles
    asked = read_arguments(folder, checkpoint, arguments)
    model_args, data_args, training_args, finetuning_args, _ = get_train_args(asked)
    module = load_tokenizer(model_args)
    tokenizer = module["tokenizer"]
    template = get_template_and_fix_tokenizer(tokenizer, data_args)
    found = get_dataset(template, model_args, data_args, training_args, stage="sft", **module)
    rows = [
        {"input_ids": row["input_ids"], "labels": row["labels"]} for row in found["eval_dataset"]
    ]
    model = load_model(tokenizer, model_args, finetuning_args, is_trainable=False)
    return tokenizer, template, rows, model.eval()


def read_arguments(folder: Path, checkpoint: Path, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return LLaMA-Factory's arguments for reading chats and answering, from those of a run."""
    kept = {name: arguments[name] for name in KEPT if arguments.get(name) is not None}
    if (checkpoint / ADAPTER).is_file():
        weights = {"finetuning_type": "lora", "adapter_name_or_path": str(checkpoint)}
    else:
        weights = {"finetuning_type": "full", "model_name_or_path": str(checkpoint)}
    return {
        **kept,
        **weights,
        "stage": "sft",
        "do_train": False,
        "do_eval": True,
        "dataset_dir": str(folder),
        "eval_dataset": "measure",
        "output_dir": str(folder),
        "overwrite_cache": True,
        "report_to": "none",
    }


def token_loss(model: Any, tokenizer: Any, rows: list[dict[str, Any]], size: int) -> float:
    """Return the mean loss of a token that carries one, over all rows, in nats."""
    import torch

    total, tokens = 0.0, 0
    for batch in batches(rows, size):
        ids, labels, mask = padded(batch, tokenizer.pad_token_id, model.device, left=False)
        with torch.inference_mode():
            logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
        told = logits[:, :-1].float().transpose(1, 2)
        total += torch.nn.functional.cross_entropy(
            told, labels[:, 1:], ignore_index=IGNORED, reduction="sum"
        ).item()
        tokens += int((labels[:, 1:] != IGNORED).sum())
    return total / max(1, tokens)


def batches(rows: list[dict[str, Any]], size: int) -> list[list[dict[str, Any]]]:
    """Return the rows in batches of about one length."""
    ordered = sorted(rows, key=lambda row: len(row["input_ids"]))
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]


def padded(
    rows: list[dict[str, Any]], pad: int, device: Any, *, left: bool
) -> tuple[Any, Any, Any]:
    """Return ids, labels and attention mask of a batch, filled up on one side."""
    import torch

    longest = max(len(row["input_ids"]) for row in rows)

    def tensor(values: list[list[int]], fill: int) -> Any:
        gaps = [[fill] * (longest - len(each)) for each in values]
        whole = [gap + each if left else each + gap for gap, each in zip(gaps, values, strict=True)]
        return torch.tensor(whole, device=device)

    ids = [list(row["input_ids"]) for row in rows]
    labels = [list(row["labels"]) for row in rows]
    return tensor(ids, pad), tensor(labels, IGNORED), tensor([[1] * len(each) for each in ids], 0)


def last_turn(row: dict[str, Any]) -> tuple[list[int], list[int]]:
    """Return the prompt of an encoded chat's last reply, and that reply."""
    labels = row["labels"]
    end = max(place for place, label in enumerate(labels) if label != IGNORED) + 1
    start = end
    while start and labels[start - 1] != IGNORED:
        start -= 1
    return list(row["input_ids"][:start]), list(labels[start:end])


def similarity(
    model: Any,
    tokenizer: Any,
    rows: list[dict[str, Any]],
    size: int,
    most: int,
    stops: list[int],
) -> dict[str, float]:
    """Return how near the greedy replies are to the given ones, 0 to 100."""
    quiet_jieba()
    from llamafactory.train.sft.metric import ComputeSimilarity

    metric = ComputeSimilarity(tokenizer=tokenizer)
    found: dict[str, float] | None = None
    turns = [last_turn(row) for row in rows if any(label != IGNORED for label in row["labels"])]
    for start in range(0, len(turns), size):
        part = turns[start : start + size]
        given = [prompt for prompt, _ in part]
        replies = answers(model, tokenizer, given, most, stops)
        compared = SimpleNamespace(
            predictions=rectangle(replies), label_ids=rectangle([reply for _, reply in part])
        )
        found = metric(compared, compute_result=start + size >= len(turns))
    return {NAMES[name]: float(value) for name, value in (found or {}).items()}


def quiet_jieba() -> None:
    """Keep jieba's dictionary in the engine's cache and its remarks out of the log."""
    import jieba

    jieba.setLogLevel(logging.WARNING)
    cache = Path(os.environ.get("HF_HOME") or Path.cwd()) / "jieba"
    cache.mkdir(parents=True, exist_ok=True)
    jieba.dt.tmp_dir = str(cache)


def answers(
    model: Any, tokenizer: Any, prompts: list[list[int]], most: int, stops: list[int]
) -> list[list[int]]:
    """Return the greedy replies to the prompts, as token ids without padding."""
    import torch
    from transformers import GenerationConfig

    pad = tokenizer.pad_token_id
    rows = [{"input_ids": prompt, "labels": prompt} for prompt in prompts]
    ids, _, mask = padded(rows, pad, model.device, left=True)
    greedy = GenerationConfig(
        do_sample=False, max_new_tokens=most, eos_token_id=stops, pad_token_id=pad
    )
    with torch.inference_mode():
        made = model.generate(inputs=ids, attention_mask=mask, generation_config=greedy)
    return [[token for token in row if token != pad] for row in made[:, ids.shape[1] :].tolist()]


def rectangle(rows: list[list[int]]) -> Any:
    """Return rows of ids as one array, filled up with what is ignored."""
    import numpy as np

    longest = max(map(len, rows), default=0)
    return np.array([row + [IGNORED] * (longest - len(row)) for row in rows])
