"""Tests of what is wrong with a reply."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datagen.compose import plain_reply
from datagen.defects import find_defects
from fakes.styled_dataset import BANKS, samples

QUESTION = "明天要上台演讲，心里七上八下的，接下来做什么好？"
ENGLISH = "I missed the last train and I feel really anxious. What should I do?"


@pytest.mark.parametrize("reply", ["", "   ", "\n"])
def test_empty_is_flagged_when_nothing_is_said(reply: str) -> None:
    """Spaces are no reply, and nothing else is looked for in them."""
    assert find_defects(reply, QUESTION, "zh") == ["empty"]


@pytest.mark.parametrize(
    "reply",
    [
        "先深呼吸\ufffd。",
        "<|im_end|>先深呼吸。",
        "<think>\n\n</think>先深呼吸。",
        "先深呼吸\x07。",
        "先</s>深呼吸。",
        "\ud83d先深呼吸。",
    ],
)
def test_broken_is_flagged_when_no_person_writes_so(reply: str) -> None:
    """Replacement characters, control characters and template tokens are all broken."""
    assert find_defects(reply, QUESTION, "zh") == ["broken"]


@pytest.mark.parametrize(
    "reply", ["哼，先深呼吸。😤", "好的～", "早点睡。(>_<)", "去吧！❤️", "嗯……", "哇\U0001fae8"]
)
def test_styled_endings_count_as_finished(reply: str) -> None:
    """Emoji, tildes, dots and faces end a sentence too."""
    assert find_defects(reply, QUESTION, "zh") == []


@pytest.mark.parametrize("reply", ["先深呼吸，再", "先深呼吸，", "Breathe out slowly ten"])
def test_unfinished_is_flagged_when_the_sentence_is_cut(reply: str) -> None:
    """A reply that stops at the token limit is not whole."""
    assert find_defects(reply, QUESTION, "zh") == ["unfinished"]


@pytest.mark.parametrize(
    ("reply", "question", "language"),
    [
        (QUESTION, QUESTION, "zh"),
        ("你说“明天要上台演讲，心里七上八下的”？先呼气。", QUESTION, "zh"),
        ("What? I missed the last train and I feel really anxious too.", ENGLISH, "en"),
        ("在吗？在。", "在吗？", "zh"),
    ],
)
def test_echo_is_flagged_when_the_question_comes_back(reply, question, language) -> None:
    """Half of the question's wording is enough, wherever it stands."""
    assert "echo" in find_defects(reply, question, language)


def test_naming_the_topic_is_no_echo() -> None:
    """A reply may speak of the speech that the question is about."""
    assert find_defects("演讲前先慢慢呼气十次，再念三遍开头。", QUESTION, "zh") == []


def test_long_reply_may_quote_the_question() -> None:
    """A reply that takes the question up and then says much more of its own is no echo."""
    advice = "先把稿子拆成三段，每段只记一个词；睡前念一遍，明早再念一遍，"
    advice += "忘词就看一眼手心的小抄。"
    assert find_defects(f"明天要上台演讲，心里七上八下的？{advice}", QUESTION, "zh") == []
    assert find_defects(f"{QUESTION}先呼气。", QUESTION, "zh") == ["echo"]


def test_repetition_is_flagged_when_eight_characters_come_twice() -> None:
    """Eight in a row, twice, in Chinese; punctuation does not hide it."""
    assert find_defects("先慢慢地呼气十次吧，先慢慢地、呼气十次吧。", "怎么办？", "zh") == [
        "repetition"
    ]
    assert find_defects("先慢慢呼气，再慢慢呼气。", "怎么办？", "zh") == []


def test_repetition_is_flagged_when_eight_words_come_twice() -> None:
    """English counts words, not letters."""
    clause = "take a slow breath and count up to ten"
    assert find_defects(f"{clause}, then {clause}.", ENGLISH, "en") == ["repetition"]
    assert find_defects("Breathe in, breathe out, breathe in, breathe out.", ENGLISH, "en") == []


def test_shipped_replies_have_no_defects() -> None:
    """What the scripted teacher composes, and the plain advice of every situation, is clean."""
    for row in samples(per_style=30):
        assert find_defects(row.reply, row.question, row.language) == [], row.reply
    for language, bank in BANKS.items():
        for situation in bank.situations:
            reply = plain_reply(situation.advice, language)
            assert find_defects(reply, QUESTION, language) == [], reply


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.text(max_size=80), st.sampled_from(["zh", "en"]))
def test_any_text_can_be_judged(reply: str, question: str, language) -> None:
    """No text, however odd, makes a check fail; an empty one is the only one called empty."""
    assert ("empty" in find_defects(reply, question, language)) == (not reply.strip())
