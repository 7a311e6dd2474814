"""A stand-in for the engine's Python: writes the files of a run, obeys, and fails on demand.

It is called as the real one is, `<python> -m trainer.engine.run <folder>`, and uses the real code
for checkpoints and run files, but trains nothing: the loss of step N is 8 / (N + 1), the
"weights" are the step number, a token is a character. `FAILPOINT` names the fault:

    fake.killed@N  dies by SIGKILL when it comes to step N   fake.crash   stops with a traceback
    fake.memory    runs out of memory                         fake.deaf    ignores the cancel file
    fake.diverged  says that the loss is no number            fake.broken_template
    ckpt.*         as in the real engine
"""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import jinja2
import yaml

from trainer.engine import checkpoints
from trainer.engine.files import RunFiles, read_json, write_atomic
from trainer.engine.parent import die_with_parent

FAULT, _, AT = os.environ.get("FAILPOINT", "").partition("@")
STEP_SECONDS = float(os.environ.get("TORCH_FAKE_STEP_SECONDS", "0.002"))
VERSIONS = {"llamafactory": "0.9.5", "torch": "2.13.0+fake", "transformers": "5.6.0"}
END = "<|im_end|>"


def run(folder: Path) -> int:
    """Train and export the run in `folder`."""
    files = RunFiles(folder)
    plan = read_json(folder / "plan.json")
    recipe = yaml.safe_load((folder / "recipe.yaml").read_text(encoding="utf-8"))
    checkpoints.quarantine(files.checkpoints)
    found = checkpoints.numbered(files.checkpoints)
    start = found[0][0] if found else 0
    files.rewind(start if found else -1)
    files.event("start", start, {"max_steps": recipe["max_steps"]})
    known = {"pid": os.getpid(), "engine": VERSIONS, "resumed_from": start if found else None}
    for step in range(start + 1, recipe["max_steps"] + 1):
        time.sleep(STEP_SECONDS)
        fail_at(step)
        if state := one_step(files, known, recipe, plan, step):
            files.finished(*state)
            return 0
    write_atomic(files.rank, read_json(files.rank) | {"stage": "export"})
    write_atomic(files.export, export(files, plan["export"]))
    files.event("end", recipe["max_steps"], {})
    files.finished("done")
    return 0


def fail_at(step: int) -> None:
    """Fail as `FAILPOINT` says."""
    if FAULT == "fake.killed" and step == int(AT):
        os.kill(os.getpid(), signal.SIGKILL)
    if FAULT == "fake.crash":
        raise RuntimeError("the engine crashed")
    if FAULT == "fake.memory":
        raise MemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


def one_step(
    files: RunFiles, known: dict[str, Any], recipe: dict[str, Any], plan: dict[str, Any], step: int
) -> tuple[str, ...]:
    """Take one step; return how the run ended if it did."""
    last = step == recipe["max_steps"]
    figures = {"loss": 8 / (step + 1), "learning_rate": 1e-3, "grad_norm": 1.0, "epoch": 0.1}
    if step % recipe["logging_steps"] == 0:
        files.event("log", step, figures)
    rank = {"stage": "train", "step": step, "max_steps": recipe["max_steps"], "at": time.time()}
    cancelled = files.cancel.exists() and FAULT != "fake.deaf"
    if step % recipe["save_steps"] == 0 or last or cancelled:
        figures["eval_loss"] = 9 / (step + 1)
        files.event("eval", step, {"eval_loss": figures["eval_loss"]})
        save(files, recipe, plan, step, figures["eval_loss"])
    write_atomic(files.rank, {**known, **rank, "figures": figures}, durable=False)
    if FAULT == "fake.diverged":
        return "failed", "non_finite_loss", f"training diverged: loss at step {step}"
    return ("cancelled",) if cancelled else ()


def save(
    files: RunFiles, recipe: dict[str, Any], plan: dict[str, Any], step: int, loss: float
) -> None:
    """Write, seal and rotate a checkpoint."""
    path = files.checkpoints / f"checkpoint-{step}"
    path.mkdir(parents=True)
    (path / "adapter_model.safetensors").write_bytes(weights(step))
    if FAULT == "ckpt.after_model":
        os.kill(os.getpid(), signal.SIGKILL)
    state = {"global_step": step, "max_steps": recipe["max_steps"]}
    (path / "trainer_state.json").write_text(json.dumps(state), encoding="utf-8")
    checkpoints.seal(path, step, loss)
    checkpoints.rotate(files.checkpoints, plan["keep_checkpoints"])
    files.event("save", step, {})


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


def fault(path: Path) -> str:
    """Return why a weights file cannot be read, or nothing."""
    content = path.read_bytes()
    length = 8 + int.from_bytes(content[:8], "little") + 8
    return "" if len(content) == length else "incomplete metadata, file not fully covered"


def main(arguments: list[str]) -> int:
    """Behave as `python -m <module> ...`."""
    die_with_parent()
    module = arguments[1]
    if module == "trainer.engine.run":
        return run(Path(arguments[2]))
    sys.stdout.write(json.dumps(verify(json.load(sys.stdin))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
