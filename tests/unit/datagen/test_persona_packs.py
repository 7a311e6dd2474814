"""Tests of persona packs: profile, examples and guardrails."""

import json

import pytest
import yaml

from contracts.style import Style
from datagen.persona_packs import read_draft
from kit.errors import InvalidInputError

PACK = {
    "version": 3,
    "profile": {
        "name": "Captain Mo",
        "tone": ["blunt", "warm"],
        "description": "A retired captain. Loves knots.",
        "instructions": "You are a retired captain; speak in short sentences.",
        "never": ["slang of the young"],
        "temperature": 0.6,
        "age": 70,
    },
    "examples": [
        {"user": "I am lost.", "assistant": "Steady now. Find the north. Then we talk, aye."},
        ["I am late.", "Slow is smooth. Smooth is fast, aye."],
        {"user": "no reply"},
    ],
    "guardrails": ["never mocks fear"],
}


@pytest.mark.parametrize("write", [json.dumps, yaml.safe_dump])
def test_pack_becomes_a_draft(write: object) -> None:
    """YAML and JSON alike; examples show how the style opens and closes."""
    assert callable(write)
    found = read_draft(write(PACK).encode())
    assert found.source == "persona_pack"
    assert found.draft["id"] == "captain-mo"
    assert found.draft["traits"] == ["blunt", "warm"]
    assert found.draft["temperature"] == 0.6
    assert found.draft["avoid"] == ["slang of the young"]
    assert found.draft["guardrails"] == ["never mocks fear"]
    assert len(found.draft["examples"]) == 2
    assert found.draft["lexicon"]["openers"]
    assert {part.field for part in found.unmapped} == {"profile.age", "version"}
    assert {problem.field for problem in found.problems} == {"names.zh", "description.zh"}


def test_flat_pack_needs_no_profile() -> None:
    """Name and tone may stand at the top."""
    flat = {"name": "Mo", "traits": "blunt, warm", "examples": PACK["examples"], "rules": ["kind"]}
    found = read_draft(json.dumps(flat).encode())
    assert found.draft["traits"] == ["blunt", "warm"]
    assert found.draft["guardrails"] == ["kind"]
    assert found.unmapped == []


def test_complete_pack_can_be_stored_as_it_is() -> None:
    """With both names a pack is a card."""
    pack = {
        "profile": {"name": "Mo", "traits": ["blunt"], "openers": ["Aye."], "closers": ["Steady."]},
    }
    found = read_draft(json.dumps(pack).encode())
    missing = {problem.field for problem in found.problems}
    assert missing == {"names.zh", "description", "system_prompt"}
    whole = found.draft | {
        "names": {"zh": "莫", "en": "Mo"},
        "description": {"zh": "船长", "en": "Captain"},
        "system_prompt": "You are Mo.",
    }
    assert Style.model_validate(whole).lexicon.openers == ["Aye."]


@pytest.mark.parametrize(
    ("pack", "field"),
    [({"profile": []}, "profile"), ({"profile": {}}, "profile.name"), ({"x": 1}, "profile.name"),
     ({"persona": {"name": 5}}, "persona.name")],
)  # fmt: skip
def test_pack_without_a_name_is_refused(pack: dict[str, object], field: str) -> None:
    """The field is named."""
    with pytest.raises(InvalidInputError) as caught:
        read_draft(json.dumps(pack).encode())
    assert caught.value.body.field == field


@pytest.mark.parametrize(
    "text", ["a: &a [1]\nb: *a", "!!python/object:os.system {}", "a: 1\na: 2", "a: [1"]
)
def test_dangerous_yaml_is_refused(text: str) -> None:
    """Aliases, tags, keys twice, half a file."""
    with pytest.raises(InvalidInputError):
        read_draft(text.encode())


@pytest.mark.parametrize(
    "content",
    [
        b'{"name": "x", "\\ud800": "y"}',
        b'{"profile": {"name": "x", "a\\ud800": "y"}, "\\udc00": 1}',
        b'{"spec": "chara_card_v3", "data": {"name": "x", "\\ud800": 1}}',
        b'{"spec": {}, "name": "x", "first_mes": "y"}',
        b'{"spec": ["v"], "name": "x"}',
    ],
)
def test_hostile_keys_give_a_draft_that_can_be_sent(content: bytes) -> None:
    """Half a surrogate pair is in no answer, and a spec that is no text is no spec."""
    assert read_draft(content).model_dump_json()
