"""Tests of the language of short replies."""

import random
from pathlib import Path

import pytest
import yaml

from contracts.style import Language, Style
from datagen.compose import styled_reply
from datagen.languages import language_of, language_share, little_words
from datagen.questions import Bank

FOREIGN: dict[str, list[str]] = yaml.safe_load(
    (Path(__file__).parents[2] / "data" / "other_languages.yaml").read_text(encoding="utf-8")
)
SENTENCES = [(name, text) for name, texts in FOREIGN.items() for text in texts]


@pytest.mark.parametrize(("name", "text"), SENTENCES)
def test_other_languages_are_not_taken_for_chinese(name: str, text: str) -> None:
    """Japanese has Chinese characters too, and is still another language."""
    assert language_share(text, "zh") < 0.5, name


def test_other_languages_are_rarely_taken_for_english() -> None:
    """Latin ones are told by their little words: at most one sentence in 50 slips through."""
    taken = [text for _, text in SENTENCES if language_share(text, "en") >= 0.5]
    assert len(taken) <= len(SENTENCES) / 50


def test_styled_replies_are_in_their_language(
    tsundere: Style, butler: Style, banks: dict[Language, Bank]
) -> None:
    """No reply of the scripted teacher is refused."""
    for style in (tsundere, butler):
        chance = random.Random(4)
        for situation in chance.sample(banks[style.language].situations, 100):
            reply = styled_reply(style, situation.advice, chance)
            assert language_share(reply, style.language) >= 0.9
            assert language_of(reply) == style.language


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("你是不是 lactose intolerant 吧？啧，不行我得去看看你。", 0.5),
        ("😤", 1.0),
        ("123！", 1.0),
        ("栓Q！这馒头真硬！", 0.8),
        ("温柔の治愈小天使来啦，别难过呀", 0.9),
    ],
)
def test_chinese_may_borrow(text: str, share: float) -> None:
    """English words, a の for decoration, emoji and numbers do not make another language."""
    assert language_share(text, "zh") >= share


def test_english_reply_with_a_foreign_word_is_english() -> None:
    """One borrowed word proves nothing."""
    assert language_share("That is quite the déjà vu, and you will be fine.", "en") == 1.0
    assert language_share("Bravo, maestro!", "en") == 1.0


def test_language_is_named() -> None:
    """A report says which language slipped in."""
    found = [
        language_of(text)
        for text in ("先喝水。", "Drink the water, and rest.", "もう寝てね", "안녕", "Привет", "😀")
    ]
    assert found == ["zh", "en", "ja", "ko", "cyrillic", "none"]


def test_little_words_are_shipped_english_first() -> None:
    """English wins where two languages have as many words."""
    assert next(iter(little_words())) == "en"
    assert len(little_words()) >= 12
