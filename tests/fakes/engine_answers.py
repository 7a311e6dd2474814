"""What the fake engine answers and exports: fits by characters, template, golden prompts, digests.

A token is a character; the "weights" are a file in the safetensors format with the step number.
"""

import json
import math
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import jinja2

from trainer.engine import batching, checkpoints
from trainer.engine.files import RunFiles, read_json

FAULT, _, AT = os.environ.get("FAILPOINT", "").partition("@")
# Bytes of the card that this machine seems to have; a row of a micro-batch takes 1 GiB of it.
CARD_BYTES = int(os.environ.get("TORCH_FAKE_CARD_BYTES", "0"))
ROW_BYTES = 1 << 30
END = "<|im_end|>"


def weights(step: int) -> bytes:
    """Return a file in the safetensors format with one tensor, the step number."""
    header = json.dumps({"step": {"dtype": "I64", "shape": [1], "data_offsets": [0, 8]}}).encode()
    return len(header).to_bytes(8, "little") + header + step.to_bytes(8, "little")


def export(files: RunFiles, plan: dict[str, Any]) -> dict[str, Any]:
    """Write a model folder and return the report for the gate."""
    chosen = checkpoints.best(checkpoints.verified(files.checkpoints))
    folder = Path(plan["folder"])
    (folder / "merged").mkdir(parents=True, exist_ok=True)
    template = Path(plan["chat_template"]).read_text(encoding="utf-8")
    if FAULT == "fake.broken_template":
        template = template.replace("assistant", "assistent")
    for place in (folder, folder / "merged"):
        (place / "chat_template.jinja").write_text(template, encoding="utf-8")
        (place / "tokenizer.json").write_text(json.dumps({"eos": END}), encoding="utf-8")
    (folder / "adapter_config.json").write_text(
        json.dumps({"base_model_name_or_path": plan["base"], "r": 16}), encoding="utf-8"
    )
    content = (chosen.path / "adapter_model.safetensors").read_bytes()
    (folder / "adapter_model.safetensors").write_bytes(content)
    (folder / "merged" / "model.safetensors").write_bytes(content)
    (folder / "adapter_model.safetensors").chmod(0o600)
    reply = tokens("好") | {"leads": [3.0]}
    golden = [
        {
            **each,
            "trained": tokens(chatml(each["messages"])),
            "served": tokens(rendered(template, each["messages"])),
            "adapter": reply,
            "merged": reply,
        }
        for each in plan["golden"]
    ]
    eos = {"trained": END, "trained_ids": [2], "exported": END, "exported_id": 2}
    return {
        "step": chosen.step,
        "eval_loss": chosen.eval_loss,
        "lora_rank": 16,
        "golden": golden,
        "eos": eos | {"generation_ids": [2]},
    }


def chatml(messages: list[dict[str, str]]) -> str:
    """Return a prompt as LLaMA-Factory's template writes it."""
    turns = [f"<|im_start|>{one['role']}\n{one['content']}{END}\n" for one in messages]
    return "".join(turns) + "<|im_start|>assistant\n"


def rendered(template: str, messages: list[dict[str, str]]) -> str:
    """Return a prompt as a chat template writes it."""
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    made = environment.from_string(template).render(messages=messages, add_generation_prompt=True)
    return str(made)


def tokens(text: str) -> dict[str, Any]:
    """Return text as token ids and pieces: a character each."""
    return {"token_ids": [ord(char) for char in text], "pieces": list(text)}


def verify(request: dict[str, Any]) -> dict[str, Any]:
    """Return what the files of a model make of the prompts."""
    folder = Path(request["folder"])
    template = (folder / "chat_template.jinja").read_text(encoding="utf-8")
    eos = read_json(folder / "tokenizer.json")["eos"]
    prompts = [
        tokens(rendered(template, messages)) | {"error": ""} for messages in request["prompts"]
    ]
    files = {path.name: {"count": 1, "error": fault(path)} for path in folder.glob("*.safetensors")}
    return {"prompts": prompts, "eos_token": eos, "weights": files}


def quantise(request: dict[str, Any]) -> dict[str, str]:
    """Write a model in another form: its own files, with the form's name for weights."""
    if FAULT == "fake.deaf":
        time.sleep(60)
    if FAULT == "fake.memory":
        raise SystemExit("MemoryError: cannot allocate memory")
    source, target = Path(request["source"]), Path(request["target"])
    for path in source.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    (target / "model.safetensors").write_text(request["form"], encoding="utf-8")
    return {"made_with": "fake-quantiser 1.0" if request["form"] == "int8" else "fake 1.0"}


def fault(path: Path) -> str:
    """Return why a weights file cannot be read, or nothing."""
    content = path.read_bytes()
    length = 8 + int.from_bytes(content[:8], "little") + 8
    return "" if len(content) == length else "incomplete metadata, file not fully covered"


def fit(request: dict[str, Any]) -> dict[str, Any]:
    """Answer as `trainer.engine.fit` does: lengths in characters, batches simulated as there."""
    if FAULT == "fake.unfit":
        raise SystemExit("ValueError: no row can be trained on")
    if FAULT == "fake.slow_fit":
        time.sleep(60)
    arguments, fixed = request["arguments"], request["fixed"]
    info = request.get("dataset_info") or read_json(
        Path(arguments["dataset_dir"]) / "dataset_info.json"
    )
    rows = json.loads(Path(info["train"]["file_name"]).read_text(encoding="utf-8"))
    texts = ["".join(str(value) for value in row.values()) for row in rows]
    histogram = sorted(Counter(len(text) for text in texts).items())
    asked = batching.Asked(
        stage=arguments["stage"],
        micro=arguments["per_device_train_batch_size"],
        accumulation=arguments["gradient_accumulation_steps"],
        cutoff=arguments["cutoff_len"],
        fixed={"batching": "plain"} | fixed,
        recipe_cutoff=request["recipe_cutoff"],
        world_size=request["world_size"],
        card=bool(CARD_BYTES),
        pair_cost=0.0,
        positions=4096,
    )
    choice = batching.choose(histogram, asked)
    micro = math.gcd(choice.units, arguments["per_device_train_batch_size"])
    lengths = sorted(len(text) for text in texts)
    return {
        "lengths": {
            "rows": len(rows),
            "mean": sum(lengths) / len(lengths),
            "p50": lengths[len(lengths) // 2],
            "p90": lengths[len(lengths) * 9 // 10],
            "p99": lengths[len(lengths) * 99 // 100],
            "max": lengths[-1],
            "histogram": histogram,
            "answer_tokens": sum(lengths) // 2,
        },
        "batching": choice.way.batching,
        "cutoff_len": choice.way.cutoff_len,
        "micro_batch": micro,
        "accumulation": choice.units // micro,
        "rows_per_update": float(choice.units * choice.rows_per_unit * request["world_size"]),
        "useful_ratio": choice.way.useful_ratio,
        "card_bytes": CARD_BYTES or request.get("card_bytes"),
        "predicted_bytes": micro * ROW_BYTES if CARD_BYTES else None,
        "probed_bytes": micro * ROW_BYTES if CARD_BYTES and request.get("probe") else None,
        "reasons": choice.reasons,
    }
