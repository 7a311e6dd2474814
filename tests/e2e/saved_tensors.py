"""Measure what autograd keeps for a step, and compare it with the prediction.

    PYTHONPATH=services/trainer/src ENGINE_PYTHON tests/e2e/saved_tensors.py BASE

Runs in the LLaMA-Factory environment, on CPU: hooks on saved tensors see every one, and what shares
its memory is counted once. Prints one line of JSON for each way to train.
"""

import itertools
import json
import sys
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM

from trainer.engine import memory

ROWS, LENGTH, RANK = 4, 128, 16


def model_of(base: Path, *, full: bool, half: bool) -> Any:
    """Return the model as LLaMA-Factory prepares it: trained weights in float32."""
    config = AutoConfig.from_pretrained(base)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="sdpa")
    if full:
        return model
    model = model.to(torch.bfloat16) if half else model
    model = get_peft_model(model, LoraConfig(r=RANK, target_modules=list(memory.LINEARS)))
    for weight in model.parameters():
        if weight.requires_grad:
            weight.data = weight.data.float()
    return model


def saved(model: Any, words: int, *, half: bool) -> int:
    """Return the bytes that one forward pass saves for its backward pass, without weights."""
    own = {each.untyped_storage().data_ptr() for each in (*model.parameters(), *model.buffers())}
    found: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            found[storage.data_ptr()] = storage.nbytes()
        return tensor

    ids = torch.randint(words, (ROWS, LENGTH))
    mask = torch.ones_like(ids)
    mask[0, -3:] = 0
    hooks = torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor)
    with hooks, torch.autocast("cpu", torch.bfloat16, enabled=half):
        kept = model(input_ids=ids, attention_mask=mask, labels=ids, use_cache=False).loss
    assert kept.requires_grad
    return sum(found.values())


def compared(base: Path, *, full: bool, half: bool) -> dict[str, Any]:
    """Return what was measured and what was predicted for one way to train."""
    arch = memory.architecture(json.loads((base / "config.json").read_text(encoding="utf-8")))
    assert arch
    method = "full" if full else "lora"
    run = memory.training({"finetuning_type": method, "lora_rank": RANK, "bf16": half}, arch)
    model = model_of(base, full=full, half=half)
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    measured = saved(model, arch.vocabulary, half=half)
    # What the loss keeps: the softmax's output.
    logits = ROWS * LENGTH * arch.vocabulary * memory.FLOAT
    step = memory.Step(ROWS, LENGTH, packed=False, checkpointing=False)
    optimizer = torch.optim.AdamW(trained)
    for weight in trained:
        weight.grad = torch.zeros_like(weight)
    optimizer.step()
    states = [value for state in optimizer.state.values() for value in state.values()]
    return {
        "way": f"{method}, {'bf16' if half else 'float32'}",
        "saved": measured - logits,
        "predicted": sum(memory.saved_bytes(arch, run, step).values()),
        "trained": sum(weight.numel() for weight in trained),
        "predicted_trained": memory.trained_weights(arch, run),
        "frozen": sum(w.numel() for w in model.parameters() if not w.requires_grad),
        "predicted_base": arch.linear_weights + arch.other_weights,
        "optimizer": sum(value.nbytes for value in states if value.dim()),
    }


def main(base: Path) -> None:
    """Print the comparison of every way."""
    torch.manual_seed(0)
    for full, half in itertools.product((False, True), repeat=2):
        sys.stdout.write(f"{json.dumps(compared(base, full=full, half=half))}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
