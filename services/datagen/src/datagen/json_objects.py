"""JSON objects in what a language model wrote: fenced, listed, numbered, or slightly broken.

Mended are what models get wrong now and then: trailing commas, curly or single quotes, quotes
inside a value that are not escaped, a missing last brace. A value that was cut off is not mended.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

DECODER = json.JSONDecoder(strict=False)  # a line break inside a value is no reason to lose it
TRAILING_COMMA = re.compile(r",\s*(?=[}\]])")
OPENING_QUOTE = re.compile(r"(?<=[{,:\[])(\s*)[“”'‘’]")
CLOSING_QUOTE = re.compile(r"[“”'‘’](?=\s*[,:}\]])")
# A value ends where the next key or the object's end follows, whatever quotes it holds.
FIELD = re.compile(
    r'"(\w+)"\s*:\s*(?:"(.*?)"|(-?[\d.]+|true|false|null))(?=\s*,\s*"\w+"\s*:|\s*,?\s*}\s*$)', re.S
)
NEXT_OBJECT = re.compile(r"^\s*(?:[\[,]|[-*]|\d+[.)、])?\s*\{", re.MULTILINE)
SHOWN = 200


def read_objects(text: str) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the objects in `text`, and the pieces that should be some and cannot be read.

    An object that only holds a list of objects counts as those. Prose around them is passed over;
    a text without any object is one piece that cannot be read.
    """
    found: list[dict[str, Any]] = []
    broken: list[str] = []
    at = text.find("{")
    while at >= 0:
        value, end = object_at(text, at)
        if value is None:
            broken.append(text[at:end].strip()[:SHOWN])
        else:
            found += flattened(value)
        at = text.find("{", end)
    if not found and not broken:
        broken.append(text.strip()[:SHOWN])
    return found, broken


def object_at(text: str, at: int) -> tuple[dict[str, Any] | None, int]:
    """Return the object that starts at `at`, None where it cannot be read, and where it ends."""
    try:
        value, end = DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        following = NEXT_OBJECT.search(text, at + 1)
        end = following.start() if following else len(text)
        return mended(text[at:end]), max(end, at + 1)
    return (value if isinstance(value, dict) else None), end


def mended(piece: str) -> dict[str, Any] | None:
    """Return the object in a broken `piece`, or None."""
    inner = piece.strip().rstrip("`],; \n")
    for mend in MENDS:
        inner = mend(inner)
        try:
            value = DECODER.decode(inner)
        except (ValueError, RecursionError):
            continue
        return value if isinstance(value, dict) and value else None
    return by_field(inner)


def closed(piece: str) -> str:
    """Return `piece` with its last brace."""
    return piece if piece.endswith("}") else piece + "}"


def straight(piece: str) -> str:
    """Return `piece` with straight quotes around its keys and values."""
    return CLOSING_QUOTE.sub('"', OPENING_QUOTE.sub(r'\1"', piece))


MENDS: tuple[Callable[[str], str], ...] = (
    closed,
    lambda piece: TRAILING_COMMA.sub("", piece),
    straight,
)


def by_field(piece: str) -> dict[str, Any] | None:
    """Return the fields that can be told apart in `piece`; None where a part of it is left over."""
    fields = list(FIELD.finditer(piece))
    rest = FIELD.sub("", piece)
    if not fields or rest.strip("{}, \n\t"):
        return None
    return {
        field[1]: field[2] if field[2] is not None else json.loads(field[3]) for field in fields
    }


def flattened(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the objects of the only list in `value`, or `value` itself."""
    inner = next(iter(value.values()), None) if len(value) == 1 else None
    if isinstance(inner, list) and all(isinstance(entry, dict) for entry in inner):
        yield from inner
    else:
        yield value
