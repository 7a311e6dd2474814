"""Style cards from outside: parse YAML or JSON without trusting it.

Refused: more than 256 kB, aliases and anchors (a few hundred bytes of them expand without limit),
tags, deep nesting, a key twice, control characters, control tokens of chat templates.
"""

import json
import unicodedata
from collections.abc import Iterator
from typing import Any

import yaml
from pydantic import ValidationError

from contracts.style import Style
from datagen.text import control_token
from kit.errors import InvalidInputError, TooLargeError

MAX_BYTES = 256 << 10
MAX_DEPTH = 10
START_EVENTS = (yaml.SequenceStartEvent, yaml.MappingStartEvent)
END_EVENTS = (yaml.SequenceEndEvent, yaml.MappingEndEvent)
ALLOWED_CONTROLS = frozenset("\n\t")


def parse_card(content: bytes) -> Style:
    """Return the card in `content` (YAML or JSON, UTF-8).

    Raises:
        TooLargeError: over 256 kB.
        InvalidInputError: anything else; it names the field or the line, and the way out.
    """
    if len(content) > MAX_BYTES:
        raise TooLargeError(f"a style card has at most {MAX_BYTES} bytes, this has {len(content)}")
    document = parse_document(decode(content))
    if not isinstance(document, dict):
        raise InvalidInputError("a style card is a mapping of keys such as 'id' and 'names'")
    for path, text in strings(document):
        check_text(path, text)
    try:
        return Style.model_validate(document)
    except ValidationError as error:
        raise invalid_field(error) from error


def decode(content: bytes) -> str:
    """Return `content` as text. Raises InvalidInputError with the byte at fault."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError(
            f"not UTF-8: byte {error.start} is 0x{content[error.start]:02x}",
            hint="save the file as UTF-8",
        ) from error


def parse_document(text: str) -> Any:
    """Return the one document in `text`; a first character `{` means JSON."""
    try:
        if text.lstrip().startswith("{"):
            document = json.loads(text, object_pairs_hook=unique_pairs)
            check_depth(document)
            return document
        check_events(text)
        return yaml.load(text, Loader=CardLoader)
    except json.JSONDecodeError as error:
        raise InvalidInputError(f"line {error.lineno}: not JSON: {error.msg}") from error
    except yaml.YAMLError as error:
        raise InvalidInputError(yaml_message(error)) from error
    except (RecursionError, ValueError) as error:
        message = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InvalidInputError(f"not a usable document: {message[:200]}") from error


def check_events(text: str) -> None:
    """Raise InvalidInputError for YAML that uses more than plain keys, lists and values."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise InvalidInputError(
                f"line {line}: YAML aliases and anchors are not allowed", hint="write it out"
            )
        if getattr(event, "tag", None):
            raise InvalidInputError(f"line {line}: YAML tags are not allowed", hint="quote text")
        depth += isinstance(event, START_EVENTS) - isinstance(event, END_EVENTS)
        if depth > MAX_DEPTH:
            raise InvalidInputError(f"line {line}: nested deeper than {MAX_DEPTH} levels")


class CardLoader(yaml.CSafeLoader):
    """A safe loader that refuses a key twice, a key that is no text, and merge keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping of `node`. Raises InvalidInputError with its line."""
        seen: set[str] = set()
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if key.tag != "tag:yaml.org,2002:str":
                raise InvalidInputError(f"line {line}: a key must be text", hint="quote it")
            if key.value in seen:
                name = key.value[:80]
                raise InvalidInputError(f"line {line}: {name}: the key occurs twice", field=name)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return `pairs` as a mapping. Raises InvalidInputError for a key twice."""
    mapping: dict[str, Any] = {}
    for key, value in pairs:
        if key in mapping:
            raise InvalidInputError(f"{key[:80]}: the key occurs twice", field=key[:80])
        mapping[key] = value
    return mapping


def check_depth(value: Any, depth: int = 1) -> None:
    """Raise InvalidInputError where `value` is nested deeper than MAX_DEPTH."""
    if depth > MAX_DEPTH + 1:
        raise InvalidInputError(f"nested deeper than {MAX_DEPTH} levels")
    children = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        for child in children:
            check_depth(child, depth + 1)


def strings(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text in `value`, keys too, with its dotted path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, child in value.items():
            yield path, key
            yield from strings(child, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from strings(child, f"{path}.{index}".lstrip("."))


def check_text(path: str, text: str) -> None:
    """Raise InvalidInputError where `text` holds what no prompt may hold."""
    field = path[:200] or None
    for character in text:
        category = unicodedata.category(character)
        if category in {"Cc", "Cs", "Co"} and character not in ALLOWED_CONTROLS:
            raise InvalidInputError(
                f"{path}: the character U+{ord(character):04X} is not allowed",
                field=field,
                hint="remove control characters",
            )
    if found := control_token(text):
        raise InvalidInputError(
            f"{path}: {found!r} is a control token of chat templates",
            field=field,
            hint="remove it; templates add their own",
        )


def invalid_field(error: ValidationError) -> InvalidInputError:
    """Return our error for pydantic's: the first field at fault and what it should be."""
    errors = error.errors(include_url=False, include_input=False)
    # A misspelt key also makes another one missing: the unknown one is what to correct.
    first = next((entry for entry in errors if entry["type"] == "extra_forbidden"), errors[0])
    field = ".".join(str(part) for part in first["loc"])[:200]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    unknown = first["type"] == "extra_forbidden"
    known = ", ".join(Style.model_fields)
    hint = f"remove it; a card has: {known}" if unknown else f"correct {field} and try again"
    problem = "unknown key" if unknown else first["msg"]
    return InvalidInputError(f"{field}: {problem}{more}", field=field, hint=hint)


def yaml_message(error: yaml.YAMLError) -> str:
    """Return one sentence for `error`, with the line where YAML knows it."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML"
    place = f"line {mark.line + 1}: " if mark else ""
    return f"{place}not YAML: {problem}"[:300]
