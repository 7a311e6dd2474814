"""What a judge's answer says: its JSON, repaired where that is safe. Never a default. Pure."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from datagen.rubric import LEAST, MOST, Criterion

Better = Literal["A", "B", "tie"]
# What models put where JSON has ASCII signs.
SIGNS = str.maketrans({"“": '"', "”": '"', "：": ":", "，": ",", "｛": "{", "｝": "}"})
REASON_CHARACTERS = 400


class UnreadableError(ValueError):
    """The answer holds no judgement; the message says what is wrong with it."""


def read_scores(text: str, criteria: Sequence[Criterion]) -> tuple[dict[str, int], str]:
    """Return the scores by criterion and the reason given.

    A criterion that may not apply is left out where the judge says null.

    Raises UnreadableError where one is missing, no whole number, or out of range.
    """
    found = read_object(text)
    scores: dict[str, int] = {}
    for one in criteria:
        value = found.get(one.id, "missing")
        if value is None and one.optional:
            continue
        scores[one.id] = whole_score(one.id, value)
    if not scores:
        raise UnreadableError("no criterion is scored")
    return scores, reason_of(found)


def whole_score(name: str, value: Any) -> int:
    """Return a score from 1 to 5. Raises UnreadableError for anything else."""
    if isinstance(value, str):
        told = re.fullmatch(rf"\s*(\d{{1,9}})(?:\.0)?\s*(?:/\s*{MOST})?\s*", value)
        value = int(told[1]) if told else value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise UnreadableError(f"{name}: {str(value)[:40]!r} is no whole number")
    if not LEAST <= value <= MOST:
        raise UnreadableError(f"{name}: {value} is not from {LEAST} to {MOST}")
    return value


def read_better(text: str) -> tuple[Better, str]:
    """Return which seat is better, and the reason given. Raises UnreadableError."""
    found = read_object(text)
    names: dict[str, Better] = {"a": "A", "b": "B", "tie": "tie"}
    value = str(found.get("better", "missing")).strip().lower()
    if value not in names:
        raise UnreadableError(f"better: {value[:40]!r} is not A, B or tie")
    return names[value], reason_of(found)


def reason_of(found: dict[str, Any]) -> str:
    """Return the reason in an answer, shortened."""
    reason = found.get("reason", "")
    if not isinstance(reason, str):
        return ""
    # A judge may write half of a surrogate pair, which no journal holds.
    return reason.strip()[:REASON_CHARACTERS].encode("utf-8", "replace").decode()


def read_object(text: str) -> dict[str, Any]:
    """Return the last JSON object in `text`: a judge that thinks aloud ends with its answer.

    Raises UnreadableError where there is none.
    """
    for part in reversed(list(objects(text))):
        for repaired in repairs(part):
            try:
                found = json.loads(repaired, strict=False)
            except (ValueError, RecursionError):
                continue
            if isinstance(found, dict) and found:
                return found
    raise UnreadableError("no JSON object in the answer")


def objects(text: str) -> Iterator[str]:
    """Yield the outermost pairs of braces in `text`, and an object whose end is missing."""
    start, depth = 0, 0
    for at, sign in enumerate(text):
        if sign in "{｛":
            start = start if depth else at
            depth += 1
        elif sign in "}｝" and depth:
            depth -= 1
            if not depth:
                yield text[start : at + 1]
    if depth:
        yield text[start:].rstrip() + "}" * depth


def repairs(part: str) -> Iterator[str]:
    """Yield `part` as it stands, then mended: signs, quotes, commas before an end."""
    yield part
    mended = re.sub(r",\s*([}\]])", r"\1", part.translate(SIGNS))
    yield mended
    yield re.sub(r"(?<=[{,:\s])'([^']*)'(?=\s*[:,}])", r'"\1"', mended)
    yield re.sub(r"(?<=[{,\s])([A-Za-z_]+)\s*:", r'"\1":', mended)
