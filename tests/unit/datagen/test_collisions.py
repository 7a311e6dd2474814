"""Tests of where styles collide."""

import pytest

from contracts.style import Style
from datagen.collisions import collisions, likeness, mixed_up, shared_words
from fakes.styled_dataset import STYLES

TSUNDERE, GENTLE, BUTLER = (STYLES[name] for name in ("tsundere", "gentle", "dry-butler"))


def twin(style: Style, **given: object) -> Style:
    """Return a card that differs only in what is given."""
    return Style.model_validate(style.model_dump() | {"id": "twin"} | given)


def test_equal_cards_are_indistinguishable() -> None:
    """Whatever they are called."""
    found = collisions([TSUNDERE, twin(TSUNDERE)], {})
    assert found[0].indistinguishable
    assert found[0].likeness == 1
    assert "one card under two names" in found[0].suggestions[0]


def test_shared_openers_particles_and_emoji_are_named() -> None:
    """The advice names the words, whatever their punctuation."""
    lexicon = GENTLE.lexicon.model_dump()
    lexicon |= {"openers": ["哼，谁要特地帮你啊", *lexicon["openers"][:2]], "emoji": ["😤"]}
    lexicon |= {"particles": ["啦", "呀"]}
    other = twin(GENTLE, lexicon=lexicon)
    shared = shared_words(TSUNDERE, other)
    assert shared["openers"] == ["哼，谁要特地帮你啊！"]
    assert shared["particles"] == ["啦"]
    assert shared["emoji"] == ["😤"]
    matrix = {"tsundere": {"tsundere": 3, "twin": 1}, "twin": {"twin": 2, "tsundere": 2}}
    found = collisions([TSUNDERE, other], matrix)[0]
    assert found.mixed_up == pytest.approx(0.375)
    text = " ".join(found.suggestions)
    for word in ("哼，谁要特地帮你啊！", "啦", "😤"):
        assert word in text


def test_styles_of_two_languages_never_collide() -> None:
    """They cannot be mixed up."""
    assert collisions([TSUNDERE, twin(TSUNDERE, language="en")], {}) == []
    assert collisions([TSUNDERE, BUTLER], {"tsundere": {"dry-butler": 4}}) == []


def test_shipped_styles_do_not_collide() -> None:
    """Their words are their own."""
    assert collisions(list(STYLES.values()), {}) == []
    assert likeness(TSUNDERE, GENTLE) < 0.1
    assert likeness(TSUNDERE, TSUNDERE) == 1


def test_pair_that_the_judge_swaps_is_told_even_without_shared_words() -> None:
    """There is always a suggestion; the worst pair comes first."""
    matrix = {"tsundere": {"tsundere": 1, "gentle": 3}, "gentle": {"gentle": 1, "tsundere": 3}}
    found = collisions([TSUNDERE, GENTLE], matrix)
    assert found[0].indistinguishable
    assert found[0].suggestions
    assert mixed_up(matrix, "gentle", "tsundere") == 0.75
    assert mixed_up({}, "gentle", "tsundere") == 0
