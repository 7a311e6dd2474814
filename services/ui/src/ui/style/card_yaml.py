"""A style card as text: YAML out, and YAML or JSON in, without trusting it (pure).

What datagen refuses is refused here too, as it is typed: aliases and anchors (a few hundred bytes
of them expand without limit), tags, deep nesting, a key twice, and what is too long.
"""

from collections.abc import Hashable
from typing import Any

import yaml

# Of characters; datagen takes 256 kB.
LONGEST = 40_000
DEEPEST = 10
STARTS = (yaml.SequenceStartEvent, yaml.MappingStartEvent)
ENDS = (yaml.SequenceEndEvent, yaml.MappingEndEvent)
Document = dict[str, Any]


class UnreadableError(Exception):
    """A text that is no card; `kind` is the end of the locale key `style.unreadable_<kind>`.

    Args:
        kind: what is wrong.
        line: where, from 1 on; 0 where nobody knows.
        said: the parser's own words.
    """

    def __init__(self, kind: str, line: int = 0, said: str = "") -> None:
        super().__init__(f"{kind} in line {line}")
        self.kind = kind
        self.line = line
        self.said = said


class PlainLoader(yaml.CSafeLoader):
    """A safe loader that refuses a key twice and a key that is no text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Return the mapping of `node`. Raises UnreadableError with its line."""
        seen: set[str] = set()
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if key.tag != "tag:yaml.org,2002:str":
                raise UnreadableError("key", line)
            if key.value in seen:
                raise UnreadableError("twice", line, key.value[:80])
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


# A day is no date in a card, but text.
PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if not tag.endswith(":timestamp")]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(text: str) -> Document:
    """Return the mapping in `text`. Raises UnreadableError."""
    if len(text) > LONGEST:
        raise UnreadableError("long")
    try:
        check_events(text)
        document = yaml.load(text, Loader=PlainLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        said = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "")
        # At the end of the text the mark is below its last line.
        line = min(mark.line, text.count("\n")) + 1 if mark else 0
        raise UnreadableError("yaml", line, said[:200]) from error
    except (RecursionError, ValueError) as error:
        raise UnreadableError("yaml", 0, str(error)[:200]) from error
    if not isinstance(document, dict):
        raise UnreadableError("mapping")
    return document


def check_events(text: str) -> None:
    """Raise UnreadableError for YAML that uses more than plain keys, lists and values."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise UnreadableError("alias", line)
        if getattr(event, "tag", None):
            raise UnreadableError("tag", line)
        depth += isinstance(event, STARTS) - isinstance(event, ENDS)
        if depth > DEEPEST:
            raise UnreadableError("deep", line)


class PlainDumper(yaml.SafeDumper):
    """A dumper that keeps text of several lines readable."""


def as_block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Return a text of several lines as a block, any other as it is."""
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


PlainDumper.add_representer(str, as_block)


def write_yaml(document: Document) -> str:
    """Return a card as text, in the order of its keys; `read_yaml` returns it again."""
    text: str = yaml.dump(
        document, Dumper=PlainDumper, allow_unicode=True, sort_keys=False, width=100
    )
    return text
