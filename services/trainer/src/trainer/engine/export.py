"""Export what was trained and its merged weights, and gather what the parity gate compares.

All models are loaded by LLaMA-Factory's own loaders: the adapter on its base (or the whole weights
of a full training), then the merged weights as they were written, so that the comparison covers the
files and not the memory.
"""

import gc
import shutil
from pathlib import Path
from typing import Any

from trainer.engine.checkpoints import Checkpoint
from trainer.engine.rendering import Messages, pieces, template_ids

TEMPLATE = "chat_template.jinja"
ADAPTER = "adapter_config.json"


def export(checkpoint: Checkpoint, plan: dict[str, Any]) -> dict[str, Any]:
    """Fill the folder `plan["folder"]` and return the report that the gate reads.

    Args:
        checkpoint: an adapter or whole weights; what it holds becomes the model.
        plan: folder, base (absolute path), template (LLaMA-Factory's name), chat_template (path),
            enable_thinking, golden ([{name, messages}]), reply_tokens.
    """
    folder = Path(plan["folder"])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tokenizer, template, trained = load_trained(plan, checkpoint)
    save_tokenizer(tokenizer, plan, folder)
    rank = save_adapter(trained, plan, folder) if is_adapter(checkpoint) else 0
    replies = [reply(trained, tokenizer, plan, each["messages"]) for each in plan["golden"]]
    del trained
    save_merged(plan, checkpoint, folder)
    _, _, merged = load(plan, str(folder / "merged"), None, merge=True)
    exported = exported_tokenizer(folder)
    golden = [
        {
            "name": each["name"],
            "messages": each["messages"],
            "trained": trained_prompt(template, tokenizer, each["messages"]),
            "served": rendered(exported, each["messages"], plan),
            "adapter": given,
            "merged": reply(merged, tokenizer, plan, each["messages"]),
        }
        for each, given in zip(plan["golden"], replies, strict=True)
    ]
    return {
        "step": checkpoint.step,
        "eval_loss": checkpoint.eval_loss,
        "lora_rank": rank,
        "golden": golden,
        "eos": end_tokens(tokenizer, exported, template, merged),
    }


def is_adapter(checkpoint: Checkpoint) -> bool:
    """Return whether a checkpoint holds an adapter, and not whole weights."""
    return (checkpoint.path / ADAPTER).is_file()


def load_trained(
    plan: dict[str, Any], checkpoint: Checkpoint, *, merge: bool = False
) -> tuple[Any, Any, Any]:
    """Return tokenizer, template and model of a checkpoint; its adapter apart, unless `merge`."""
    if is_adapter(checkpoint):
        return load(plan, plan["base"], str(checkpoint.path), merge=merge)
    return load(plan, str(checkpoint.path), None, merge=True)


def load(
    plan: dict[str, Any], base: str, adapter: str | None, *, merge: bool
) -> tuple[Any, Any, Any]:
    """Return tokenizer, LLaMA-Factory template and model, ready to answer."""
    from llamafactory.data import get_template_and_fix_tokenizer
    from llamafactory.hparams import get_infer_args
    from llamafactory.model import load_model, load_tokenizer

    gc.collect()  # the Trainer's model and the one before are in cycles
    arguments = {
        "model_name_or_path": base,
        "template": plan["template"],
        "enable_thinking": plan["enable_thinking"],
        "finetuning_type": "lora",
        "disable_gradient_checkpointing": True,
        "trust_remote_code": False,
    }
    if adapter:
        arguments["adapter_name_or_path"] = adapter
    model_args, data_args, finetuning_args, _ = get_infer_args(arguments)
    tokenizer = load_tokenizer(model_args)["tokenizer"]
    template = get_template_and_fix_tokenizer(tokenizer, data_args)
    # A trainable adapter stays apart from its base; one for inference is merged into it.
    model = load_model(tokenizer, model_args, finetuning_args, is_trainable=not merge)
    return tokenizer, template, model.eval()


def save_tokenizer(tokenizer: Any, plan: dict[str, Any], folder: Path) -> None:
    """Write the tokenizer and, byte for byte, the chat template that the run recorded."""
    tokenizer.save_pretrained(folder)
    shutil.copyfile(plan["chat_template"], folder / TEMPLATE)


def save_adapter(model: Any, plan: dict[str, Any], folder: Path) -> int:
    """Write `adapter_config.json` (with the base's absolute path) and the weights; return the rank.

    The model card is written by the service, which knows more than peft.
    """
    config = model.peft_config["default"]
    config.base_model_name_or_path = plan["base"]
    config.inference_mode = True
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    return int(config.r)


def save_merged(plan: dict[str, Any], checkpoint: Checkpoint, folder: Path) -> None:
    """Write `merged/`: whole weights, with the same tokenizer and chat template."""
    tokenizer, _, model = load_trained(plan, checkpoint, merge=True)
    model.save_pretrained(folder / "merged")
    save_tokenizer(tokenizer, plan, folder / "merged")


def exported_tokenizer(folder: Path) -> Any:
    """Return the tokenizer of the exported files alone."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def trained_prompt(template: Any, tokenizer: Any, messages: Messages) -> dict[str, Any]:
    """Return the prompt as training saw it: turn by turn, which is how chats are encoded.

    A reasoning template puts its empty block into every turn then (`encode_multiturn`), and into
    the last one only where a chat is encoded in one piece (`encode_oneturn`).
    """
    system = messages[0]["content"] if messages[0]["role"] == "system" else None
    turns = messages[1:] if system is not None else messages
    answered = [*turns, {"role": "assistant", "content": ""}]
    encoded = template.encode_multiturn(tokenizer, answered, system)
    prompt = [token for asked, said in encoded[:-1] for token in (*asked, *said)]
    prompt += encoded[-1][0]
    return {"token_ids": prompt, "pieces": pieces(tokenizer, prompt)}


def rendered(tokenizer: Any, messages: Messages, plan: dict[str, Any]) -> dict[str, Any]:
    """Return the prompt as the exported files make it."""
    ids = template_ids(tokenizer, messages, enable_thinking=plan["enable_thinking"])
    return {"token_ids": ids, "pieces": pieces(tokenizer, ids)}


def reply(model: Any, tokenizer: Any, plan: dict[str, Any], messages: Messages) -> dict[str, Any]:
    """Return the greedy continuation: token ids, and each one's lead over the runner-up."""
    import torch
    from transformers import GenerationConfig

    ids = template_ids(
        with_template(tokenizer, plan), messages, enable_thinking=plan["enable_thinking"]
    )
    greedy = GenerationConfig(
        do_sample=False,
        max_new_tokens=plan["reply_tokens"],
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        return_dict_in_generate=True,
        output_logits=True,
    )
    prompt = torch.tensor([ids], device=model.device)
    with torch.inference_mode():
        made = model.generate(
            inputs=prompt, attention_mask=torch.ones_like(prompt), generation_config=greedy
        )
    tops = [logits[0].float().topk(2).values.tolist() for logits in made.logits]
    token_ids = made.sequences[0, len(ids) :].tolist()
    return {
        "token_ids": token_ids,
        "leads": [first - second for first, second in tops],
        "pieces": pieces(tokenizer, token_ids),
    }


def with_template(tokenizer: Any, plan: dict[str, Any]) -> Any:
    """Return the tokenizer with the recorded chat template."""
    tokenizer.chat_template = Path(plan["chat_template"]).read_text(encoding="utf-8")
    return tokenizer


def end_tokens(tokenizer: Any, exported: Any, template: Any, model: Any) -> dict[str, Any]:
    """Return what ends a reply: in training, in the exported tokenizer, in the merged model."""
    ends = model.generation_config.eos_token_id
    return {
        "trained": tokenizer.eos_token,
        "trained_ids": sorted(template.get_stop_token_ids(tokenizer)),
        "exported": exported.eos_token,
        "exported_id": exported.eos_token_id,
        "generation_ids": ends if isinstance(ends, list) else [ends],
    }
