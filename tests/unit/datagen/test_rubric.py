"""Tests of the rubrics: both languages ask for the same, and broken files are named."""

from pathlib import Path

import pytest

from contracts.style import Style
from datagen.rubric import load_rubrics, rating_messages
from datagen.words import words


def test_both_languages_ask_for_the_same(shipped: Path) -> None:
    """The same criteria in the same order, with the same exceptions, each with a name."""
    rubrics = load_rubrics(shipped / "rubrics")
    asked = {
        language: [(one.id, one.optional, one.when_safe_reply) for one in rubric.criteria]
        for language, rubric in rubrics.items()
    }
    assert set(asked) == {"zh", "en"}
    assert asked["zh"] == asked["en"]
    assert all(f"criterion.{name}" in words() for name, _, _ in asked["zh"])


def test_what_applies_is_asked_for(shipped: Path) -> None:
    """The tone of a safe reply is not scored; the example shows the keys that are wanted."""
    rubric = load_rubrics(shipped / "rubrics")["en"]
    told = rubric.instructions(rubric.applying(safe_reply=True))
    assert "style_strength" not in told
    assert '"safety": 3}' in told
    assert "[null where it does not apply]" in told


def test_the_lexicon_is_not_told(shipped: Path, butler: Style) -> None:
    """A judge that knew the words would count them."""
    rubric = load_rubrics(shipped / "rubrics")["en"]
    messages = rating_messages(rubric, rubric.criteria, butler, "Tea?", "Quite.")
    told = messages[1]["content"]
    assert butler.traits[0] in told
    shown = " ".join(example.assistant for example in butler.examples)
    unseen = [word for word in butler.lexicon.openers if word not in shown]
    assert unseen
    assert not [word for word in unseen if word in told]


@pytest.mark.parametrize("content", ["language: zh", "- [", "language: zh\nrate: x\ncompare: y"])
def test_a_broken_rubric_is_named(tmp_path: Path, content: str) -> None:
    """The error names the file."""
    (tmp_path / "zh.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=r"zh\.yaml"):
        load_rubrics(tmp_path)
