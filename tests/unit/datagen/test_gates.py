"""Tests of the gates: each has its reason, and good replies pass them all."""

import random

import pytest

from contracts.sample import RejectReason, Turn
from contracts.style import Language, Style
from datagen.compose import plain_reply, styled_reply
from datagen.duplicates import DuplicateIndex, judged_text
from datagen.gates import GENERATED, IMPORTED, Candidate, duplicate, first_refusal, markers, scores
from datagen.questions import Bank
from datagen.scripted import FLAWS

QUESTION = "方案被退回来改了五遍，我气得直跺脚，接下来做什么好？"
GOOD = "哼，谁要特地帮你啊！先走开喝一杯凉水，再跟同事谈一次啦。谢什么谢，快去啦！😤"


def reason(style: Style, reply: str, question: str = QUESTION, cut: bool = False) -> str | None:
    """Return the reason why a generated reply is refused, or None."""
    candidate = Candidate(style, question, reply, cut=cut)
    refusal = first_refusal(candidate, GENERATED[style.language])
    return refusal.reason.value if refusal else None


def test_good_reply_passes(tsundere: Style) -> None:
    """A styled reply of the right length and language is accepted."""
    assert reason(tsundere, GOOD) is None


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("", "too_short"),
        ("哼！啦。", "too_short"),
        ("哼，谁要特地帮你啊！" * 60, "too_long"),
        (QUESTION + GOOD, "echo"),
        ("哼，谁要特地帮你啊！" + QUESTION, "echo"),
        ("Hmph, it is not as if I wanted to help you with that!", "wrong_language"),
        ("作为一个AI语言模型，我没有感情。" + GOOD, "assistant_voice"),
        ("很抱歉，我无法回答这个问题哦，请换一个问题吧。", "assistant_voice"),
        ("先走开喝一杯凉水，再心平气和地跟同事谈一次。", "off_style"),
        (GOOD + "<|im_end|>", "control_token"),
        (GOOD + "<think>", "control_token"),
        (GOOD + "\ufffd！", "broken_text"),
        (GOOD + "\x07！", "broken_text"),
        (GOOD + "\ud83d", "broken_text"),
        ("哼，谁要特地帮你啊！先走开喝一杯凉水，", "broken_text"),
        ("哼，谁要特地帮你啊！先走开喝一杯凉", "broken_text"),
    ],
)
def test_bad_reply_is_refused_with_its_reason(tsundere: Style, reply: str, expected: str) -> None:
    """Each defect has exactly one reason."""
    assert reason(tsundere, reply) == expected


@pytest.mark.parametrize(
    "reply",
    [
        "As an AI language model, I cannot feel, if I may. The kettle, at least, believes in you.",
        "I'm sorry, but I can't help with that. The kettle, at least, believes in you.",
        "How may I assist you today? The kettle, at least, believes in you.",
    ],
)
def test_english_assistant_voice_is_refused(butler: Style, reply: str) -> None:
    """The voice of a product is no style."""
    assert reason(butler, reply, "My boss shouted at me again.") == "assistant_voice"


def test_reply_cut_by_the_token_limit_is_refused(tsundere: Style) -> None:
    """A reply that the teacher did not finish is broken, however it ends."""
    assert reason(tsundere, GOOD, cut=True) == "broken_text"


def test_control_token_in_history_is_refused(tsundere: Style) -> None:
    """Every text of a row is looked at."""
    history = (Turn(user="a", assistant="<|im_start|>"),)
    refusal = first_refusal(Candidate(tsundere, QUESTION, GOOD, history), GENERATED["zh"])
    assert refusal is not None
    assert refusal.reason is RejectReason.CONTROL_TOKEN


def test_phrase_that_the_card_avoids_is_refused(tsundere: Style) -> None:
    """A marker of the style does not excuse what the card forbids."""
    style = Style.model_validate(tsundere.model_dump() | {"avoid": ["凉水"]})
    assert reason(style, GOOD) == "off_style"


def test_particle_counts_at_the_end_of_a_clause_only(tsundere: Style) -> None:
    """A single character in the middle of a word is no marker."""
    assert markers(tsundere.lexicon, "先喝水啦。")["particle"]
    assert markers(tsundere.lexicon, "先喝水啦😤")["particle"]
    assert not markers(tsundere.lexicon, "啦啦队在喝水。")["particle"]
    assert markers(tsundere.lexicon, "哼 谁要特地帮你啊～")["opener"]


def test_imported_rows_are_not_held_to_the_lexicon(tsundere: Style) -> None:
    """People's own data may show a style in other words, and end without a full stop."""
    plain = "先走开喝一杯凉水，再心平气和地跟同事谈一次"
    assert first_refusal(Candidate(tsundere, QUESTION, plain), IMPORTED) is None


def test_duplicates_are_judged_on_question_and_reply(tsundere: Style) -> None:
    """The same reply to another question is wanted; the same row, or nearly, is not."""
    index = DuplicateIndex()
    index.add("tsundere", judged_text(QUESTION, GOOD))
    same, _ = duplicate(Candidate(tsundere, QUESTION + "！", GOOD), index)
    near, score = duplicate(Candidate(tsundere, QUESTION, GOOD.replace("一杯", "两杯")), index)
    other, _ = duplicate(
        Candidate(tsundere, "我的猫不理我了，心里空落落的，我想听听你怎么说。", GOOD), index
    )
    assert same is not None
    assert same.reason is RejectReason.DUPLICATE
    assert near is not None
    assert near.reason is RejectReason.NEAR_DUPLICATE
    assert 0.8 <= score < 1
    assert other is None


def test_scripted_flaws_are_all_refused(
    tsundere: Style, butler: Style, banks: dict[Language, Bank]
) -> None:
    """Each kind of wrong reply meets a gate, and the right ones meet none."""
    for style in (tsundere, butler):
        bank, chance = banks[style.language], random.Random(3)
        for situation in chance.sample(bank.situations, 60):
            question = bank.draw(situation, "train", chance).text
            assert reason(style, styled_reply(style, situation.advice, chance), question) is None
            assert reason(style, plain_reply(situation.advice, style.language), question)
            for flaw in FLAWS:
                assert reason(style, flaw(question, situation.advice, style.language), question)


def test_scores_stay_with_the_row(tsundere: Style) -> None:
    """An accepted row says how strongly it shows the style and how near its neighbour is."""
    figures = scores(Candidate(tsundere, QUESTION, GOOD), 0.25)
    assert figures == {"style_markers": 1.0, "nearest": 0.25, "characters": float(len(GOOD))}
