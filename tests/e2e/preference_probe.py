"""Say how much models prefer the chosen replies, and what they answer.

    <engine python> tests/e2e/preference_probe.py < request.json > report.json

The request: {base, adapters: {name: folder or null}, pairs: [{system, instruction, chosen,
rejected}], tokens}. The report: name -> {margins, replies}; a margin is the log-probability of the
chosen reply less that of the rejected one, in nats. Runs in the LLaMA-Factory environment.
"""

import json
import sys
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer


def prompt(tokenizer: Any, pair: dict[str, str]) -> list[int]:
    """Return the ids of a pair's question."""
    messages = [
        {"role": "system", "content": pair["system"]},
        {"role": "user", "content": pair["instruction"]},
    ]
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return list(tokenizer.encode(text, add_special_tokens=False))


def log_probability(model: Any, asked: list[int], said: list[int]) -> float:
    """Return the log-probability of a reply to a prompt, in nats."""
    with torch.inference_mode():
        logits = model(torch.tensor([asked + said])).logits[0, len(asked) - 1 : -1]
    chosen = torch.log_softmax(logits.float(), -1).gather(1, torch.tensor(said)[:, None])
    return float(chosen.sum())


def answers(model: Any, tokenizer: Any, prompts: list[list[int]], tokens: int) -> list[str]:
    """Return the greedy replies."""
    longest = max(map(len, prompts))
    pad = tokenizer.pad_token_id
    ids = torch.tensor([[pad] * (longest - len(each)) + each for each in prompts])
    with torch.inference_mode():
        made = model.generate(
            ids, attention_mask=(ids != pad).long(), max_new_tokens=tokens, do_sample=False
        )
    return [tokenizer.decode(row[longest:], skip_special_tokens=True) for row in made]


def probe(model: Any, tokenizer: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Return the margins and the replies of one model."""
    prompts = [prompt(tokenizer, pair) for pair in request["pairs"]]
    margins = []
    for asked, pair in zip(prompts, request["pairs"], strict=True):
        chosen, rejected = (
            [*tokenizer.encode(pair[name], add_special_tokens=False), tokenizer.eos_token_id]
            for name in ("chosen", "rejected")
        )
        margins.append(
            log_probability(model, asked, chosen) - log_probability(model, asked, rejected)
        )
    return {"margins": margins, "replies": answers(model, tokenizer, prompts, request["tokens"])}


def main() -> int:
    """Read the request, write the report."""
    request = json.load(sys.stdin)
    tokenizer = AutoTokenizer.from_pretrained(request["base"])
    report = {}
    for name, folder in request["adapters"].items():
        model = AutoModelForCausalLM.from_pretrained(request["base"])
        if folder:
            model = PeftModel.from_pretrained(model, folder)
        report[name] = probe(model.eval(), tokenizer, request)
    json.dump(report, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
