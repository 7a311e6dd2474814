"""Tests of the preference pairs."""

from collections import Counter

import pytest

from contracts.dataset import Conditioning
from contracts.sample import Sample, Turn
from datagen.preferences import pairs, preference_rows
from fakes.styled_dataset import STYLES, samples


def row(style: str, number: int, question: str, situation: str | None = None) -> Sample:
    """Return a row of a style."""
    card = STYLES[style]
    return Sample(
        id=f"{style}-{number}",
        slot=f"{style}/{number}",
        style=style,
        style_version=1,
        language=card.language,
        question=question,
        reply=f"{style} {number}",
        system=card.system_prompt,
        situation=situation,
    )


def test_nearest_question_is_taken_and_how_near_it_is_is_said() -> None:
    """Same question before same situation before the most similar words."""
    asked = row("tsundere", 0, "我的猫不见了，怎么办？", "pets/fear")
    same = row("gentle", 0, "我的猫不见了,怎么办?", "pets/sadness")
    situation = row("gentle", 1, "狗走丢了。", "pets/fear")
    similar = row("gentle", 2, "我的猫不吃饭，怎么办？")
    other = row("gentle", 3, "工资没到账。")
    found = [
        next(iter(pairs([asked, *rows], 7)))
        for rows in ([same, situation, similar], [situation, similar], [similar, other])
    ]
    assert [(pair.rejected, pair.match) for pair in found] == [
        (same, "question"),
        (situation, "situation"),
        (similar, "nearest"),
    ]


def test_both_replies_are_of_one_language_and_of_two_styles() -> None:
    """A pair teaches the style, and neither the language nor what both say alike."""
    made = list(pairs(samples(), 7))
    assert len(made) == len(samples())
    for pair in made:
        assert pair.chosen.style != pair.rejected.style
        assert pair.chosen.language == pair.rejected.language
        assert pair.chosen.reply != pair.rejected.reply


def test_pairs_follow_from_the_seed() -> None:
    """The same seed gives the same pairs, another one others."""
    rows = samples(60)
    again = list(pairs(rows, 7))
    assert list(pairs(rows, 7)) == again
    assert list(pairs(rows, 8)) != again


def test_no_style_is_rejected_much_more_often_than_its_share() -> None:
    """Four styles of two languages: each one's rows are the rejected ones of its neighbour."""
    counts = Counter(pair.rejected.style for pair in pairs(samples(40), 7))
    assert set(counts.values()) == {40}


@pytest.mark.parametrize("style", STYLES)
def test_single_style_has_no_pairs(style: str) -> None:
    """There is nothing to reject."""
    rows = [sample for sample in samples() if sample.style == style]
    assert not preference_rows(rows, STYLES, Conditioning.SYSTEM, 7)


def test_conditioning_none_has_no_pairs() -> None:
    """Where nothing names the style, a pair would ask for a style and against it."""
    assert not preference_rows(samples(), STYLES, Conditioning.NONE, 7)


def test_same_reply_in_both_styles_is_no_pair() -> None:
    """What two styles say alike is no preference."""
    alike = [
        row(style, 0, "问").model_copy(update={"reply": "嗯"}) for style in ("tsundere", "gentle")
    ]
    assert not list(pairs(alike, 7))


@pytest.mark.parametrize(
    ("conditioning", "prefix", "system"), [("system", "", True), ("prefix", "傲娇\n", False)]
)
def test_row_is_what_the_converter_reads(conditioning: str, prefix: str, system: bool) -> None:
    """Prompt, history and system prompt are the chosen row's; both replies carry its prefix."""
    asked = row("tsundere", 0, "二").model_copy(
        update={"history": [Turn(user="一", assistant="哼")]}
    )
    found = preference_rows([asked, row("gentle", 1, "二")], STYLES, Conditioning(conditioning), 7)
    assert found[0] == {
        "instruction": "二",
        "input": "",
        "chosen": f"{prefix}tsundere 0",
        "rejected": f"{prefix}gentle 1",
        "system": STYLES["tsundere"].system_prompt if system else "",
        "history": [["一", f"{prefix}哼"]],
        "match": "question",
        "source": "contrast",
        "chosen_by": "",
        "rejected_by": "",
    }


def test_later_turn_is_not_set_against_an_opening_of_its_situation() -> None:
    """Of two rows about one situation the one that is as far into its dialogue is taken."""
    turn = Turn(user="一", assistant="哼")
    deep = row("tsundere", 1, "后来呢", situation="work/angry").model_copy(
        update={"history": [turn]}
    )
    opening = row("gentle", 2, "开头", situation="work/angry")
    later = row("gentle", 3, "后面", situation="work/angry").model_copy(update={"history": [turn]})
    found = {pair.chosen.slot: pair for pair in pairs([deep, opening, later], 1)}
    assert found[deep.slot].match == "situation"
    assert found[deep.slot].rejected.slot == later.slot


def test_safe_reply_is_neither_chosen_nor_rejected() -> None:
    """A person in a crisis is answered the same in every style."""
    safe = row("tsundere", 1, "问").model_copy(update={"safety": "suicide"})
    assert list(pairs([safe, row("gentle", 2, "问")], 1)) == []
