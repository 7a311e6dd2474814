"""Keep a client from writing what only the chat template may write, such as `<|im_start|>`.

A tokenizer turns such a string into its control token wherever it stands, so that a message could
end itself and speak as the system. A visible space after the first character breaks the string;
the text stays readable and no character vanishes.
"""

import re
from collections.abc import Callable, Iterable

# Known to the usual chat formats; the base model's own added tokens come on top.
USUAL = (
    "<|im_start|>",
    "<|im_end|>",
    "<|endoftext|>",
    "<think>",
    "</think>",
    "<s>",
    "</s>",
)
ROUNDS = 8  # a break could complete another token only where one token contains another


def neutraliser(added: Iterable[str]) -> Callable[[str], str]:
    """Return a function that breaks every control token in a text.

    `added` are the tokenizer's added tokens; those of one character, or of white space alone,
    control nothing and stay as they are.
    """
    tokens = {token for token in (*USUAL, *added) if len(token) > 1 and token.strip()}
    longest_first = sorted(tokens, key=lambda token: (-len(token), token))
    pattern = re.compile("|".join(re.escape(token) for token in longest_first))

    def neutralise(text: str) -> str:
        for _ in range(ROUNDS):
            if not pattern.search(text):
                return text
            text = pattern.sub(lambda match: f"{match[0][0]} {match[0][1:]}", text)
        return pattern.sub("", text)

    return neutralise
