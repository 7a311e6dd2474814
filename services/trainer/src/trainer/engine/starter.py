"""Build the starter base model from its corpus: blank, train (three times), publish.

    python -m trainer.engine.starter blank CORPUS OUT
    python -m trainer.engine.starter train RECIPE DATASET CORPUS BASE OUT
    python -m trainer.engine.starter publish WORK CORPUS RECIPES OUT

Runs in the LLaMA-Factory environment. `scripts/starter.sh` calls these in turn: `blank` makes a
tokenizer and random weights, `train` runs one recipe through LLaMA-Factory, `publish` writes the
model folder with its provenance and replaces the old one by a rename.
"""

import hashlib
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from trainer.engine import stand_in

SEED = 7
TEMPLATE = Path(__file__).with_name("chatml.jinja")
# 3.8 million weights are 15.2 MB in float32: the shipped file stays below 16 MB. vLLM's attention
# on CPU takes heads of 64; two of them share keys and values, as in the larger Qwen3 models.
SHAPE: dict[str, Any] = {
    "vocab_size": 4096,
    "hidden_size": 256,
    "intermediate_size": 640,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 64,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": True,
    "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
    "dtype": "float32",
}
# The tokenizer learns from so many texts; more of them change no merge that matters.
TOKENIZER_TEXTS = 20_000
ROWS = ("texts.json", "chats.json", "scenes.json")
# So many rows of each file are hashed apart, so that a test can make them again in a moment.
HEAD_ROWS = 500
STAGES = {
    "read": ("starter.yaml", "texts"),
    "answer": ("starter-chat.yaml", "chats"),
    "settle": ("starter-settle.yaml", "scenes"),
}


def blank(corpus: Path, out: Path) -> None:
    """Write a model folder with a trained tokenizer and random weights to `out`."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    from trainer.engine.tokenizer import train_tokenizer

    rows = json.loads((corpus / "texts.json").read_text(encoding="utf-8"))[:TOKENIZER_TEXTS]
    tokenizer = train_tokenizer([row["text"] for row in rows], SHAPE["vocab_size"])
    out.mkdir(parents=True)
    tokenizer.save(str(out / "tokenizer.json"))
    shutil.copy(TEMPLATE, out / "chat_template.jinja")
    write_json(out / "tokenizer_config.json", tokenizer_settings())
    ends = {
        "bos_token_id": None,
        "eos_token_id": tokenizer.token_to_id("<|im_end|>"),
        "pad_token_id": tokenizer.token_to_id("<|endoftext|>"),
    }
    torch.manual_seed(SEED)
    Qwen3ForCausalLM(Qwen3Config(**SHAPE, **ends)).save_pretrained(out)
    write_json(out / "generation_config.json", ends)


def tokenizer_settings() -> dict[str, Any]:
    """Return `tokenizer_config.json`: the class that takes tokenizer.json as it is."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "model_max_length": SHAPE["max_position_embeddings"],
        "clean_up_tokenization_spaces": False,
    }


def train(recipe: Path, dataset: str, corpus: Path, base: Path, out: Path) -> None:
    """Run `recipe` on one dataset of `corpus` from the weights in `base`."""
    import yaml

    stand_in.register()
    from llamafactory.train.tuner import run_exp

    arguments = yaml.safe_load(recipe.read_text(encoding="utf-8"))
    arguments.pop("tonesmith")
    run_exp(arguments | places(dataset, corpus, base, out))


def places(dataset: str, corpus: Path, base: Path, out: Path) -> dict[str, Any]:
    """Return the arguments that say where things lie and what this machine is."""
    return {
        "model_name_or_path": str(base),
        "template": "qwen3_nothink",
        "dataset_dir": str(corpus),
        "dataset": dataset,
        "output_dir": str(out),
        "overwrite_cache": True,
        "preprocessing_num_workers": 1,
        "dataloader_num_workers": 0,
        "dataloader_pin_memory": False,
        "save_total_limit": 1,
        "report_to": "none",
        "do_train": True,
        "use_cpu": True,
        "bf16": False,
    }


def publish(work: Path, corpus: Path, recipes: Path, out: Path) -> None:
    """Replace the folder `out` by the finished model, in one rename."""
    fresh, old = out.with_name(f".{out.name}-new"), out.with_name(f".{out.name}-old")
    for folder in (fresh, old):
        shutil.rmtree(folder, ignore_errors=True)
    fresh.mkdir(parents=True)
    for path in sorted((work / "blank").glob("[!.]*")):
        shutil.copyfile(path, fresh / path.name)
    shutil.copyfile(work / "settle" / "model.safetensors", fresh / "model.safetensors")
    write_json(fresh / "provenance.json", provenance(work, corpus, recipes, fresh))
    if out.exists():
        out.rename(old)
    fresh.rename(out)
    shutil.rmtree(old, ignore_errors=True)


def provenance(work: Path, corpus: Path, recipes: Path, model: Path) -> dict[str, Any]:
    """Return what the model was made of: hashes, steps, loss, versions."""
    return {
        "schema_version": 1,
        "seed": SEED,
        "built_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "shape": SHAPE,
        "corpus": {path.name: digest(path) for path in sorted(corpus.glob("*.json"))},
        "corpus_head": {name: head_digest(head(corpus / name)) for name in ROWS},
        "stages": {name: stage(work / name, recipes / found[0]) for name, found in STAGES.items()},
        "files": {path.name: digest(path) for path in sorted(model.iterdir())},
        "engine": versions(),
    }


def head(path: Path) -> list[Any]:
    """Return the first rows of one file of the corpus."""
    rows: list[Any] = json.loads(path.read_text(encoding="utf-8"))[:HEAD_ROWS]
    return rows


def head_digest(rows: list[Any]) -> str:
    """Return a hash of rows, whatever the layout of their file."""
    text = json.dumps(rows, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def stage(run: Path, recipe: Path) -> dict[str, Any]:
    """Return what one recipe did."""
    state = json.loads((run / "trainer_state.json").read_text(encoding="utf-8"))
    summary = json.loads((run / "train_results.json").read_text(encoding="utf-8"))
    losses = [entry["loss"] for entry in state["log_history"] if "loss" in entry]
    return {
        "recipe": recipe.name,
        "recipe_sha256": digest(recipe),
        "steps": state["global_step"],
        "epochs": round(state["epoch"], 3),
        "final_loss": losses[-1],
        "seconds": round(summary["train_runtime"]),
    }


def versions() -> dict[str, str]:
    """Return the versions that trained the model."""
    from importlib.metadata import version

    return {name: version(name) for name in ("llamafactory", "torch", "transformers")}


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_json(path: Path, document: object) -> None:
    """Write `document` readably."""
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Run the step that the first argument names."""
    step, *rest = arguments
    if step == "blank":
        blank(*map(Path, rest))
    elif step == "train":
        recipe, dataset, corpus, base, out = rest
        train(Path(recipe), dataset, Path(corpus), Path(base), Path(out))
    else:
        publish(*map(Path, rest))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
