"""What tokens cost, and the most that a call can cost. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datagen.usage import Usage

MILLION = 1e6
# What a chat template adds: at the start, and around each message. Generous: 3 to 10 are usual.
TEMPLATE_TOKENS, MESSAGE_TOKENS = 64, 16


@dataclass(frozen=True)
class Prices:
    """Dollars for a million tokens."""

    input: float
    cached: float
    output: float

    def cost(self, usage: Usage) -> float:
        """Return what a call costs, in dollars; reasoning is paid as output."""
        cached = min(usage.cached or 0, usage.input or 0)
        fresh = (usage.input or 0) - cached
        paid = fresh * self.input + cached * self.cached + (usage.output or 0) * self.output
        return paid / MILLION


def prices_of(into: float | None, cached: float | None, out: float | None) -> Prices | None:
    """Return the prices where they are known; cached tokens cost as input where unset."""
    if into is None or out is None:
        return None
    return Prices(into, into if cached is None else cached, out)


def most_tokens(messages: Sequence[Mapping[str, Any]], max_tokens: int) -> Usage:
    """Return a bound of what a call takes.

    No tokenizer in use gives more tokens than the text has bytes; the teacher is told the rest.
    """
    texts = (str(message.get("content", "")) for message in messages)
    sent = sum(len(text.encode("utf-8", "replace")) for text in texts)
    return Usage(input=sent + TEMPLATE_TOKENS + MESSAGE_TOKENS * len(messages), output=max_tokens)
