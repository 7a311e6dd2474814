"""Token ids of conversations: as LLaMA-Factory trains them, and as a chat template renders them.

    <engine python> tests/e2e/rendered_turns.py < requests.json > ids.json

A request: {folder, template, enable_thinking, chat_template, conversations: [messages, ...]}; a
conversation ends with a reply. Runs in the LLaMA-Factory environment. The answer is a list for each
request, with an object for each conversation:
`multiturn` (all turns as training reads them), `oneturn` (the last prompt and reply, as preference
training reads them), `rendered` (the whole, by the template) and `prompt` (up to the last reply).
"""

import json
import sys
from pathlib import Path
from typing import Any

from trainer.engine import stand_in
from trainer.engine.rendering import template_ids

stand_in.register()


def load(request: dict[str, Any]) -> tuple[Any, Any]:
    """Return the tokenizer of the folder, and LLaMA-Factory's template."""
    from llamafactory.data import get_template_and_fix_tokenizer
    from llamafactory.hparams import DataArguments
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(request["folder"])
    settings = DataArguments(
        template=request["template"],
        enable_thinking=request["enable_thinking"],
        preserve_thinking=True,
    )
    return tokenizer, get_template_and_fix_tokenizer(tokenizer, settings)


def ids(
    tokenizer: Any, template: Any, messages: list[dict[str, str]], *, thinking: bool
) -> dict[str, list[int]]:
    """Return the renderings of one conversation."""
    system = messages[0]["content"] if messages[0]["role"] == "system" else None
    turns = messages[1:] if system is not None else messages
    pairs = template.encode_multiturn(tokenizer, turns, system)
    prompt, reply = template.encode_oneturn(tokenizer, turns, system)
    whole = tokenizer.apply_chat_template(messages, tokenize=False, enable_thinking=thinking)
    return {
        "multiturn": [token for pair in pairs for part in pair for token in part],
        "oneturn": prompt + reply,
        "rendered": tokenizer.encode(whole, add_special_tokens=False),
        "prompt": template_ids(tokenizer, messages[:-1], enable_thinking=thinking),
        "trained_prompt": [token for pair in pairs[:-1] for part in pair for token in part]
        + pairs[-1][0],
    }


def answer(request: dict[str, Any]) -> list[dict[str, list[int]]]:
    """Return the ids of all conversations of one request."""
    tokenizer, template = load(request)
    tokenizer.chat_template = Path(request["chat_template"]).read_text(encoding="utf-8")
    thinking = request["enable_thinking"]
    return [ids(tokenizer, template, one, thinking=thinking) for one in request["conversations"]]


if __name__ == "__main__":
    json.dump([answer(request) for request in json.load(sys.stdin)], sys.stdout)
