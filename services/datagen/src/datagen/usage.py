"""Tokens of a call as a teacher reports them. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# More tokens than any call takes: a larger count is nonsense, and too large for a float at last.
MOST = 1 << 40


@dataclass(frozen=True)
class Usage:
    """What one call took; None is what the teacher does not report.

    `cached` is the part of `input` that it had already, `reasoning` the part of `output` that it
    does not show.
    """

    input: int | None = None
    cached: int | None = None
    output: int | None = None
    reasoning: int | None = None

    def directions(self) -> Iterator[tuple[str, int]]:
        """Yield what is known, by direction."""
        for name in ("input", "cached", "output", "reasoning"):
            if (count := getattr(self, name)) is not None:
                yield name, count

    @property
    def shown(self) -> int | None:
        """Tokens of the reply that is shown."""
        return None if self.output is None else max(0, self.output - (self.reasoning or 0))


def read_usage(usage: Any) -> Usage:
    """Return the `usage` of an OpenAI-compatible answer; DeepSeek's name of cached ones too."""
    found = usage if isinstance(usage, dict) else {}
    cached = count(found.get("prompt_tokens_details"), "cached_tokens")
    return Usage(
        input=count(found, "prompt_tokens"),
        cached=count(found, "prompt_cache_hit_tokens") if cached is None else cached,
        output=count(found, "completion_tokens"),
        reasoning=count(found.get("completion_tokens_details"), "reasoning_tokens"),
    )


def count(found: Any, key: str) -> int | None:
    """Return the count under `key`; None where there is none, or no sensible one."""
    value = found.get(key) if isinstance(found, dict) else None
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= MOST else None
