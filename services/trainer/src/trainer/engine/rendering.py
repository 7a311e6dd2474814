"""Render golden conversations to token ids, by the exported chat template."""

from typing import Any

Messages = list[dict[str, str]]


def template_ids(tokenizer: Any, messages: Messages, *, enable_thinking: bool) -> list[int]:
    """Return the prompt that the chat template makes, as the server makes it."""
    text = tokenizer.apply_chat_template(
        messages, tokenize=False, add_generation_prompt=True, enable_thinking=enable_thinking
    )
    return list(tokenizer.encode(text, add_special_tokens=False))


def pieces(tokenizer: Any, token_ids: list[int]) -> list[str]:
    """Return the text of each token, for people."""
    return [tokenizer.decode([token]) for token in token_ids]
