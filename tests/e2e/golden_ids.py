"""What the base model makes of conversations, outside vLLM: token ids and greedy replies.

    <engine python> tests/e2e/golden_ids.py <base folder> < conversations.json > golden.json

Runs in vLLM's environment, on its transformers: the second opinion that serving is held against.
"""

import json
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

REPLY_TOKENS = 12


def main(base: str) -> None:
    """Read conversations (lists of messages) and write their ids."""
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()
    found = []
    for messages in json.load(sys.stdin):
        prompt = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        length = prompt["input_ids"].shape[1]
        made = model.generate(**prompt, max_new_tokens=REPLY_TOKENS, do_sample=False)[0].tolist()
        found.append({"token_ids": made[:length], "reply_ids": made[length:]})
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
