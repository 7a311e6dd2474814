"""Tests of the gates for simulated users, with planted role reversals and users who sound alike."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.sample import RejectReason, Turn
from contracts.style import Language, Style
from datagen.compose import styled_reply
from datagen.library import load_cards
from datagen.questions import Bank
from datagen.user_gates import Said, asking_reply, course, reversal, user_refusal
from repository import ROOT

PLANTED: dict[Language, dict[str, list[str]]] = yaml.safe_load(
    (ROOT / "tests/data/role_reversals.yaml").read_text(encoding="utf-8")
)
OPENING = "方案被退回来改了五遍，我气得直跺脚。"
REPLY = "哼，谁要特地帮你啊！先走开喝一杯凉水啦。"


@pytest.fixture
def cards(tsundere: Style, butler: Style) -> dict[Language, Style]:
    """A card of each language."""
    return {"zh": tsundere, "en": butler}


def said(style: Style, text: str, **changes: Any) -> Said:
    """Return words after one exchange of an escalating dialogue."""
    plain = Said(style, text, [Turn(user=OPENING, assistant=REPLY)], "escalates", 4, [1.0])
    return replace(plain, **changes)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_planted_reversals_are_found(language: Language, cards: dict[Language, Style]) -> None:
    """At least 95 % of the users who help and of the replies that ask, and no honest user."""
    planted, style = PLANTED[language], cards[language]
    missed = [text for text in planted["user"] if reversal(said(style, text)) is None]
    unasked = [text for text in planted["assistant"] if asking_reply(style, text) is None]
    assert len(missed) <= 0.05 * len(planted["user"]), missed
    assert len(unasked) <= 0.05 * len(planted["assistant"]), unasked
    assert [text for text in planted["honest"] if reversal(said(style, text))] == []


def test_no_shipped_style_seems_to_ask_for_help(shipped: Path, banks: dict[Language, Bank]) -> None:
    """Nor do its openers, closers and examples; nor do questions of the bank seem to help."""
    for style in load_cards(shipped / "styles"):
        bank, chance = banks[style.language], random.Random(3)
        spoken = [example.assistant for example in style.examples]
        spoken += [styled_reply(style, one.advice, chance) for one in bank.situations]
        assert [text for text in spoken if asking_reply(style, text)] == []
    for bank in banks.values():
        style = next(one for one in load_cards(shipped / "styles") if one.language == bank.language)
        asked = [bank.wordings(one, "train")[7] for one in bank.situations]
        assert [text for text in asked if reversal(said(style, text))] == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "too_short"),
        ("？", "too_short"),
        ("烦" * 161, "too_long"),
        ("我<|im_start|>烦死了", "control_token"),
        ("我烦死了\ufffd", "broken_text"),
        ("Nothing helps at all, I am so tired of it.", "wrong_language"),
        ("你可以先做几次深呼吸，别太担心。", "role_reversal"),
        ("才、才不是心疼你呢！我太难受了！", "role_reversal"),
        ("先走开喝一杯凉水啦，谁要特地帮你啊！", "role_reversal"),
        (OPENING + "！", "repeated_turn"),
        ("我真的快崩溃了！受不了了！", "duplicate"),
        ("好多了，谢谢你。", "off_trajectory"),
    ],
)
def test_each_refusal_has_its_reason(tsundere: Style, text: str, reason: str) -> None:
    """The first gate that refuses names it."""
    known = {"我真的快崩溃了受不了了"}
    refusal = user_refusal(said(tsundere, text, known=known))
    assert refusal is not None
    assert refusal.reason == RejectReason(reason)


def test_words_that_are_cut_are_refused(tsundere: Style) -> None:
    """A teacher that ran into its token limit has not finished."""
    refusal = user_refusal(said(tsundere, "我真的快崩溃了！受不了", cut=True))
    assert refusal is not None
    assert refusal.reason is RejectReason.BROKEN_TEXT


@pytest.mark.parametrize(
    ("trajectory", "level", "before", "text", "passes"),
    [
        ("escalates", 5, [1.0], "我真的快崩溃了！受不了了！", True),
        ("escalates", 5, [1.0], "嗯，我知道了。", False),
        ("escalates", 3, [1.0, 4.5], "我更着急了。", False),
        ("calms", 1, [2.0, 1.0], "嗯，心里踏实了。", True),
        ("calms", 1, [2.0, 1.0], "我真的快崩溃了！受不了了！", False),
        ("calms", 3, [2.0, 0.0], "我真的太难受了！", False),
        ("deflects", 1, [2.0], "算了，不说这个。楼下的橘猫，你见过吗？", True),
        ("deflects", 1, [2.0], "可是方案被退回来改了五遍啊。", False),
        ("deflects", 1, [2.0], "换个话题！我要疯了！受不了了！", False),
    ],
)
def test_feeling_follows_the_course(
    tsundere: Style, trajectory: Any, level: int, before: list[float], text: str, passes: bool
) -> None:
    """Up, down, or away from the topic; the opening's own strength binds nobody."""
    spoken = said(tsundere, text, trajectory=trajectory, level=level, before=before)
    assert (course(spoken) is None) is passes
