"""A style card as text."""

import pytest

from fakes.library import shipped_styles
from ui.style.card_yaml import LONGEST, UnreadableError, read_yaml, write_yaml
from ui.style.draft import card_text


@pytest.mark.parametrize("one", shipped_styles(), ids=lambda one: one.style.id)
def test_card_is_read_as_it_was_written(one: object) -> None:
    """Every shipped card survives the way to text and back."""
    style = one.style  # type: ignore[attr-defined]
    assert read_yaml(card_text(style)) == style.model_dump(mode="json")


def test_text_of_several_lines_stays_readable() -> None:
    """It is a block, not one line with escapes."""
    text = write_yaml({"system_prompt": "one\ntwo", "id": "x"})
    assert "system_prompt: |" in text
    assert list(read_yaml(text)) == ["system_prompt", "id"]


def test_day_is_text() -> None:
    """No field of a card is a date."""
    assert read_yaml("traits: [2026-11-23]") == {"traits": ["2026-11-23"]}


@pytest.mark.parametrize(
    ("text", "kind", "line"),
    [
        ("id: a\nid: b", "twice", 2),
        ("id: &a x\nnames: *a", "alias", 1),
        ("id: a\nnames: !!python/name:os.system x", "tag", 2),
        ("id: a\n1: b", "key", 2),
        ("id: [", "yaml", 1),
        ("[" * 11 + "]" * 11, "deep", 1),
        ("just words", "mapping", 0),
        ("", "mapping", 0),
        ("a" * (LONGEST + 1), "long", 0),
    ],
)
def test_text_that_is_no_card_is_refused(text: str, kind: str, line: int) -> None:
    """With what is wrong, and where."""
    with pytest.raises(UnreadableError) as refused:
        read_yaml(text)
    assert refused.value.kind == kind
    assert refused.value.line == line
