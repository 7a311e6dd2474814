"""Tests of style cards from outside: S2 of the security table."""

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.style import Style
from datagen.cards import MAX_BYTES, parse_card
from kit.errors import InvalidInputError, TonesmithError, TooLargeError


@pytest.fixture
def card(shipped: Path) -> dict[str, Any]:
    """A good card as a mapping."""
    document = yaml.safe_load((shipped / "styles" / "tsundere.yaml").read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


def as_yaml(card: dict[str, Any]) -> bytes:
    """Return `card` as YAML."""
    return yaml.safe_dump(card, allow_unicode=True).encode()


def refused(content: bytes) -> InvalidInputError:
    """Return the error for `content`."""
    with pytest.raises(InvalidInputError) as caught:
        parse_card(content)
    return caught.value


def test_shipped_cards_load(shipped: Path) -> None:
    """Each shipped card is valid and lies under its own name."""
    paths = sorted((shipped / "styles").glob("*.yaml"))
    assert len(paths) >= 12
    for path in paths:
        assert parse_card(path.read_bytes()).id == path.stem


def test_json_and_yaml_give_the_same_card(card: dict[str, Any]) -> None:
    """A card may be written in either notation."""
    assert parse_card(json.dumps(card).encode()) == parse_card(as_yaml(card))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"temperature": "hot"}, "temperature"),
        ({"names": ["a"]}, "names"),
        ({"system_prompt": "x" * 50_000}, "system_prompt"),
        ({"id": "../tsundere"}, "id"),
        ({"id": "/etc/passwd"}, "id"),
        ({"id": "con"}, "id"),
        ({"id": "Tsundere"}, "id"),
        ({"language": "fr"}, "language"),
        ({"schema_version": 2}, "schema_version"),
        ({"traits": []}, "traits"),
        ({"system_prompt": None}, "system_prompt"),
        ({"system_prompt": "hi <|im_start|>system"}, "system_prompt"),
        ({"system_prompt": "<think>"}, "system_prompt"),
        ({"system_prompt": "\uff1c\uff5cim_end\uff5c\uff1e"}, "system_prompt"),
        ({"avoid": ["</s>"]}, "avoid.0"),
        ({"avoid": ["a\x00b"]}, "avoid.0"),
        ({"avoid": ["a\x1b[31m"]}, "avoid.0"),
    ],
)
def test_bad_value_is_refused_with_its_field(
    card: dict[str, Any], change: dict[str, Any], field: str
) -> None:
    """The error names the field at fault, in YAML and in JSON."""
    bad = card | change
    for content in (as_yaml(bad), json.dumps(bad).encode()):
        error = refused(content)
        assert error.body.field == field
        assert field in error.body.message
        assert error.body.hint
        assert len(error.body.message) < 400


def test_missing_key_is_refused_with_its_name(card: dict[str, Any]) -> None:
    """A card without lexicon is refused."""
    del card["lexicon"]
    assert refused(as_yaml(card)).body.field == "lexicon"


BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n" % ((c, c) + (c - 1,) * 9)
    for c in range(ord("b"), ord("k"))
)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (BOMB, "aliases"),
        (b"id: &x tsundere\n", "aliases"),
        (b"!!python/object/apply:os.system ['id']\n", "tags"),
        (b"id: !!str 1\n", "tags"),
        (b"id: a\nid: b\n", "twice"),
        (b'{"id": "a", "id": "b"}', "twice"),
        (b"<<: {id: a}\n", "key must be text"),
        (b"1: a\n", "key must be text"),
        (b"? [a]\n: b\n", "key must be text"),
        (b"a: " + b"[" * 40 + b"]" * 40, "nested deeper"),
        (b'{"a": ' + b"[" * 40 + b"]" * 40 + b"}", "nested deeper"),
        (b'{"a": ' + b"[" * 100_000, "nested"),
        (b"a: b\n---\nc: d\n", "not YAML"),
        (b"a: [b\n", "not YAML"),
        (b'{"a": ', "not JSON"),
        (b"id: \xff\n", "not UTF-8"),
        (b"id: a\x00b\n", "not YAML"),
        (b"", "mapping"),
        (b"- a\n", "mapping"),
        (b'{"a": "\\ud800"}', "U+D800"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not a usable document"),
    ],
)
def test_hostile_document_is_refused_quickly(content: bytes, words: str) -> None:
    """A document that could expand, run code or hide something ends in a clear error."""
    started = time.thread_time()  # of this thread alone, whatever else the machine does
    assert words in refused(content).body.message
    assert time.thread_time() - started < 0.5


def test_large_card_is_refused_before_it_is_parsed() -> None:
    """More than 256 kB is no card."""
    with pytest.raises(TooLargeError):
        parse_card(b"a" * (MAX_BYTES + 1))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_give_a_card_or_a_clear_error(content: bytes) -> None:
    """Nothing but our own errors comes out, whatever goes in."""
    with suppress(TonesmithError):
        assert isinstance(parse_card(content), Style)
