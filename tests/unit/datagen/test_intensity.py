"""Tests of the estimate of a feeling's strength."""

from itertools import pairwise

import pytest

from contracts.style import Language
from datagen.intensity import intensity, voice_pattern, words_file

RISING: dict[Language, list[str]] = {
    "zh": [
        "嗯，心里踏实了，谢谢你。",
        "我有点担心明天的考试。",
        "我真的特别担心，越想越慌。",
        "我要崩溃了！真的受不了了！谁来都没用！",
    ],
    "en": [
        "Okay, I feel calm now, thank you.",
        "I'm a bit worried about the exam.",
        "I'm really so worried, and it is getting worse.",
        "I can't take it! I'm falling apart! I'm SO desperate!",
    ],
}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_stronger_words_count_more(language: Language) -> None:
    """From calm to a shout, within 0 and 5."""
    found = [intensity(text, language) for text in RISING[language]]
    assert all(one < other for one, other in pairwise(found)), found
    assert found[0] == 0
    assert 3 <= found[-1] <= 5


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("没那么怕了", "zh"),
        ("我不慌了", "zh"),
        ("I am not so afraid", "en"),
        ("less tense", "en"),
    ],
)
def test_feelings_that_are_denied_do_not_count(text: str, language: Language) -> None:
    """What a person no longer feels is relief."""
    assert intensity(text, language) == 0


def test_breathlessness_is_no_relief() -> None:
    """The word for it looks like a denied one."""
    assert intensity("我喘不过气了！", "zh") >= 2


def test_shouting_saturates() -> None:
    """A row of exclamation marks is not the strongest of all feelings."""
    assert intensity("好" + "！" * 40, "zh") == 1.5


def test_both_languages_have_all_kinds_of_words() -> None:
    """The data file is whole, and every pattern compiles."""
    for language, kinds in words_file().items():
        strength = kinds["strength"]
        assert isinstance(strength, dict)
        assert set(strength) == {"strong", "medium", "intense", "calm"}
        assert voice_pattern(language, "helper").pattern
        assert voice_pattern(language, "asker").pattern
