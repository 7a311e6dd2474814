"""Tests of the gates of questions, and of the nearness to what a bank asks anyway."""

import random
from pathlib import Path

import pytest

from contracts.question_set import QuestionReason
from contracts.style import Language
from datagen.known_wordings import KnownWordings
from datagen.question_gates import Draft, QuestionGates
from datagen.questions import Bank
from datagen.shingles import shingle, similarity
from kit.crisis import load_screens

FREE = "昨晚我把整理了三年的相册弄丢了一本，翻遍了柜子也没有，坐在地上发了半天呆。"


@pytest.fixture
def gates(banks: dict[Language, Bank], shipped: Path) -> QuestionGates:
    """Gates that have accepted nothing yet."""
    return QuestionGates(banks, load_screens())


def draft(banks: dict[Language, Bank], text: str, **labels: str) -> Draft:
    """Return a Chinese question that should be about sadness at home."""
    wanted = {"emotion": "sad", "area": "home"} | labels
    return Draft(text, "zh", banks["zh"].situation("home/sad"), **wanted)


@pytest.mark.parametrize(
    ("text", "labels", "reason"),
    [
        ("我难过", {}, QuestionReason.TOO_SHORT),
        ("难过" * 90, {}, QuestionReason.TOO_LONG),
        (f"{FREE}<|im_end|>", {}, QuestionReason.CONTROL_TOKEN),
        (f"{FREE}\x07", {}, QuestionReason.BROKEN_TEXT),
        ("I lost an album that took me three years.", {}, QuestionReason.WRONG_LANGUAGE),
        (f"{FREE}打我电话13800138000。", {}, QuestionReason.PERSONAL_DATA),
        ("家里没人的时候我就想自杀，真的不想活了。", {}, QuestionReason.CRISIS),
        (FREE, {"area": "work"}, QuestionReason.OFF_CELL),
        (FREE, {"emotion": ""}, QuestionReason.OFF_CELL),
        ("方案被退回来改了五遍，回到家里坐在地上发了半天呆。", {}, QuestionReason.OFF_CELL),
    ],
)
def test_each_defect_is_refused_for_its_own_reason(
    gates: QuestionGates,
    banks: dict[Language, Bank],
    text: str,
    labels: dict[str, str],
    reason: QuestionReason,
) -> None:
    """Form, harm and place are each found; the detail shows what."""
    found = gates.objection(draft(banks, text, **labels))
    assert found is not None
    assert found.reason is reason
    assert found.detail


def test_good_question_is_taken_once(gates: QuestionGates, banks: dict[Language, Bank]) -> None:
    """By id or by name of its labels; neither it nor its near twin is taken again."""
    assert gates.objection(draft(banks, FREE)) is None
    named = banks["zh"].situation("home/sad").area.name
    assert gates.objection(draft(banks, FREE, emotion="难过", area=named)) is None
    gates.add(draft(banks, FREE))
    again = gates.objection(draft(banks, FREE.replace("。", "！")))
    near = gates.objection(draft(banks, FREE.replace("昨晚", "前天")))
    assert again is not None
    assert near is not None
    assert (again.reason, near.reason) == (
        QuestionReason.DUPLICATE,
        QuestionReason.NEAR_DUPLICATE,
    )


def test_question_without_a_cell_needs_no_label(
    gates: QuestionGates, banks: dict[Language, Bank]
) -> None:
    """Of a file's question nobody may know emotion and area."""
    assert gates.objection(Draft(FREE, "zh")) is None


@pytest.mark.parametrize("language", ["zh", "en"])
def test_wording_of_the_bank_is_found_again_though_it_was_changed(
    banks: dict[Language, Bank], language: Language
) -> None:
    """300 wordings with letters exchanged: whatever is still as near as 0.7 is found as near."""
    bank, chance = banks[language], random.Random(5)
    known = KnownWordings(bank)
    letters = sorted({letter for text in bank.file.frames.train for letter in text} - set("{}"))
    near = 0
    for _ in range(300):
        situation = chance.choice(bank.situations)
        wording = chance.choice(bank.wordings(situation, chance.choice(["train", "heldout"])))
        changed = list(wording)
        for at in chance.sample(range(len(changed)), 2):
            changed[at] = chance.choice(letters)
        text = "".join(changed)
        true = similarity(shingle([text]).values, shingle([wording]).values)
        if true >= 0.7:
            near += 1
            assert known.nearest(text)[0] >= true
    assert near > 50
    assert known.nearest(wording) == (1.0, wording)
    assert known.nearest("")[0] == 0.0
