"""Read the files that people bring: our JSON list, alpaca, sharegpt, OpenAI messages.

A whole file that cannot be read is an error that names the byte or the line; a single row that
cannot be used is `Malformed`, and the others go on.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from contracts.sample import Turn
from kit.errors import InvalidInputError

PEOPLE = frozenset({"user", "human"})
MODELS = frozenset({"assistant", "gpt", "model"})
FORMS = "user/assistant/style, instruction/output (alpaca), conversations or messages"


@dataclass(frozen=True)
class Row:
    """One exchange with what came before it; `style` is what the row calls it, if it does."""

    question: str
    reply: str
    style: str = ""
    system: str = ""
    history: tuple[Turn, ...] = ()


@dataclass(frozen=True)
class Malformed:
    """A row of no known form."""

    detail: str
    question: str = ""
    style: str = ""


def read_rows(content: bytes) -> list[Row | Malformed]:
    """Return the rows in `content`: a JSON list of objects, or JSON Lines.

    Raises:
        InvalidInputError: empty, not UTF-8, truncated, no JSON, or no list of rows.
    """
    text = decode(content)
    rows = list(json_lines(text)) if text.startswith("{") else json_list(text)
    if not rows:
        raise InvalidInputError("the file has no rows", hint=f"a JSON list of {FORMS}")
    return [read_row(row) for row in rows]


def decode(content: bytes) -> str:
    """Return `content` as text without surrounding blanks."""
    try:
        text = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidInputError(
            f"not UTF-8: byte {error.start} (line {line}) is 0x{content[error.start]:02x}",
            hint="save the file as UTF-8",
        ) from error
    if not text:
        raise InvalidInputError("the file is empty", hint=f"it should be a JSON list of {FORMS}")
    return text


def json_list(text: str) -> list[Any]:
    """Return the JSON list in `text`."""
    rows = parse(text, first_line=1)
    if not isinstance(rows, list):
        raise InvalidInputError("the file is not a JSON list", hint=f"a JSON list of {FORMS}")
    return rows


def json_lines(text: str) -> Iterator[Any]:
    """Yield the JSON object of each line in `text`."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield parse(line, first_line=number)


def parse(text: str, first_line: int) -> Any:
    """Return the JSON value in `text`, which starts at `first_line` of its file."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        cut = error.pos >= len(text) or error.msg.startswith("Unterminated string")
        raise InvalidInputError(
            f"line {first_line + error.lineno - 1}, column {error.colno}: not JSON: {error.msg}",
            hint="the file seems truncated: get it again" if cut else "correct the file there",
        ) from error
    except (RecursionError, ValueError) as error:
        raise InvalidInputError(
            f"line {first_line}: not usable JSON", hint="nested too deeply, or a number too long"
        ) from error


def read_row(value: Any) -> Row | Malformed:
    """Return the exchange in one row of any known form."""
    if not isinstance(value, dict):
        return Malformed(f"a row must be an object, this is a {type(value).__name__}")
    try:
        if "conversations" in value or "messages" in value:
            return from_messages(value)
        if "instruction" in value or "output" in value:
            return from_alpaca(value)
        return from_exchange(value)
    except ValueError as error:
        shown = value.get("user") or value.get("instruction")
        style = value.get("style")
        return Malformed(
            str(error)[:200],
            shown if isinstance(shown, str) else "",
            style if isinstance(style, str) else "",
        )


def from_exchange(value: dict[str, Any]) -> Row:
    """Return a row of `{user, assistant, style[, history]}`."""
    return Row(
        required(value, "user"),
        required(value, "assistant"),
        optional(value, "style"),
        optional(value, "system"),
        read_history(value.get("history")),
    )


def from_alpaca(value: dict[str, Any]) -> Row:
    """Return a row of `{instruction, input, output[, system, history, style]}`."""
    parts = [optional(value, "instruction"), optional(value, "input")]
    question = "\n".join(part for part in parts if part)
    if not question:
        raise ValueError("instruction: missing or empty")
    return Row(
        question,
        required(value, "output"),
        optional(value, "style"),
        optional(value, "system"),
        read_history(value.get("history")),
    )


def from_messages(value: dict[str, Any]) -> Row:
    """Return the last exchange of `conversations` or `messages`, the others as its history."""
    messages = value.get("conversations") or value.get("messages")
    if not isinstance(messages, list):
        raise ValueError("conversations: must be a list of messages")
    spoken = [read_message(message) for message in messages]
    system = optional(value, "system")
    if spoken and spoken[0][0] == "system":
        system, spoken = spoken[0][1], spoken[1:]
    turns = []
    for at in range(0, len(spoken) - 1, 2):
        (asker, question), (answerer, reply) = spoken[at], spoken[at + 1]
        if asker not in PEOPLE or answerer not in MODELS:
            raise ValueError(f"message {at + 1}: user and assistant must take turns")
        turns.append(Turn(user=question, assistant=reply))
    if not turns or len(spoken) % 2:
        raise ValueError("the dialogue must end with a reply of the assistant")
    last = turns.pop()
    return Row(last.user, last.assistant, optional(value, "style"), system, tuple(turns))


def read_message(message: Any) -> tuple[str, str]:
    """Return role and text of a message of either form. Raises ValueError."""
    if not isinstance(message, dict):
        raise ValueError("a message must be an object")
    role = message.get("role", message.get("from"))
    text = message.get("content", message.get("value"))
    if not isinstance(role, str) or not isinstance(text, str) or not text.strip():
        raise ValueError("a message needs a role and a text")
    return role.lower(), text.strip()


def read_history(value: Any) -> tuple[Turn, ...]:
    """Return earlier turns: a list of pairs or of `{user, assistant}`. Raises ValueError."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise ValueError("history: must be a list")
    turns = []
    for entry in value:
        pair = [entry.get("user"), entry.get("assistant")] if isinstance(entry, dict) else entry
        if not isinstance(pair, list) or len(pair) != 2:
            raise ValueError("history: an entry must be a pair of texts")
        if not all(isinstance(text, str) and text.strip() for text in pair):
            raise ValueError("history: an entry must be a pair of texts")
        turns.append(Turn(user=pair[0].strip(), assistant=pair[1].strip()))
    return tuple(turns)


def required(value: dict[str, Any], key: str) -> str:
    """Return the text at `key`. Raises ValueError where it is missing or empty."""
    text = optional(value, key)
    if not text:
        raise ValueError(f"{key}: missing or empty")
    return text


def optional(value: dict[str, Any], key: str) -> str:
    """Return the text at `key`, empty where there is none. Raises ValueError for another type."""
    text = value.get(key)
    if text is not None and not isinstance(text, str):
        raise ValueError(f"{key}: must be text")
    return (text or "").strip()
