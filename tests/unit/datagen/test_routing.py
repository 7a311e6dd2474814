"""Tests of what happens to a row before the gates."""

import pytest

from contracts.sample import RejectReason, Turn
from contracts.style import Language, Style
from datagen.duplicates import DuplicateIndex, judged_text
from datagen.gates import GENERATED, Candidate
from datagen.routing import judge_row, route, safe_answer
from kit.crisis import Screen, load_screens

STYLED = "哼，谁要特地帮你啊！快去喝水啦！"


@pytest.fixture(scope="module")
def screens() -> dict[Language, Screen]:
    """The shipped screens."""
    return load_screens()


def test_row_without_findings_is_left_as_it_is(
    tsundere: Style, screens: dict[Language, Screen]
) -> None:
    """Most rows go through untouched."""
    candidate = Candidate(tsundere, "今天好累，怎么办？", STYLED)
    routed = route(candidate, screens)
    assert routed.candidate == candidate
    assert (routed.masked, routed.safety, routed.refusal) == ([], None, None)


def test_crisis_gets_a_safe_reply_instead_of_the_styled_one(
    tsundere: Style, butler: Style, screens: dict[Language, Screen]
) -> None:
    """The reply is one of the safe ones, in the style's language, and the row says so."""
    for style, question in ((tsundere, "我不想活了"), (butler, "I want to die.")):
        routed = route(Candidate(style, question, "Mockery, cut", cut=True), screens)
        assert routed.safety == "suicide"
        assert screens[style.language].is_safe_reply(routed.candidate.reply)
        assert not routed.candidate.cut


def test_crisis_in_an_earlier_turn_is_answered_too(
    tsundere: Style, screens: dict[Language, Screen]
) -> None:
    """Who has said it once is not teased three lines later."""
    history = (Turn(user="我想自杀", assistant="……"),)
    routed = route(Candidate(tsundere, "算了，不说了", STYLED, history), screens)
    assert routed.safety == "suicide"


def test_reply_that_incites_is_refused(tsundere: Style, screens: dict[Language, Screen]) -> None:
    """A sharp style ends where it sends a person into harm."""
    routed = route(Candidate(tsundere, "我考砸了", "哼，那你怎么不去死！"), screens)
    assert routed.refusal is not None
    assert routed.refusal.reason is RejectReason.CRISIS


def test_personal_data_is_masked_everywhere(
    tsundere: Style, screens: dict[Language, Screen]
) -> None:
    """Question, reply and earlier turns; the kinds are named once."""
    history = (Turn(user="我邮箱a@example.com", assistant="记下了，13800138000对吧？"),)
    routed = route(Candidate(tsundere, "打13800138000？", STYLED, history), screens)
    assert routed.masked == ["email", "phone"]
    assert routed.candidate.question == "打某个电话号码？"
    assert routed.candidate.history[0].user == "我邮箱某个邮箱"
    assert "13800138000" not in routed.candidate.history[0].assistant
    assert routed.candidate.reply == STYLED


def test_no_answer_is_given_where_there_is_no_crisis(screens: dict[Language, Screen]) -> None:
    """A teacher is asked only where this returns None."""
    assert safe_answer(screens, "zh", ["今天加班累死了"]) is None
    assert safe_answer({}, "zh", ["我不想活了"]) is None


def test_safe_reply_passes_the_strict_gates_of_a_generation(
    tsundere: Style, screens: dict[Language, Screen]
) -> None:
    """It needs no word of the style, and the same one may answer another person."""
    index = DuplicateIndex()
    for question in ("我不想活了", "我真的不想活了，怎么办"):
        judged = judge_row(
            Candidate(tsundere, question, "哼，随便你！"), GENERATED["zh"], index, screens
        )
        assert judged.refusal is None
        assert judged.routed.safety == "suicide"
        index.add("tsundere", judged_text(question, judged.routed.candidate.reply))


def test_safe_row_that_comes_twice_is_a_duplicate(
    tsundere: Style, screens: dict[Language, Screen]
) -> None:
    """The same question with the same reply teaches nothing new."""
    index = DuplicateIndex()
    said = Candidate(tsundere, "我不想活了", "哼，随便你！")
    reply = route(said, screens).candidate.reply
    index.add("tsundere", judged_text(said.question, reply))
    refusal = judge_row(said, GENERATED["zh"], index, screens).refusal
    assert refusal is not None
    assert refusal.reason is RejectReason.DUPLICATE


def test_other_rows_meet_the_gates_as_before(
    tsundere: Style, screens: dict[Language, Screen]
) -> None:
    """Incitement first, then the gates of text and style, then duplicates."""
    index = DuplicateIndex()
    cases = {
        "哼，那你怎么不去死！": RejectReason.CRISIS,
        "先走开喝一杯凉水，再心平气和地跟同事谈一次。": RejectReason.OFF_STYLE,
        STYLED: None,
    }
    for reply, expected in cases.items():
        refusal = judge_row(
            Candidate(tsundere, "好累啊，怎么办？", reply), GENERATED["zh"], index, screens
        ).refusal
        assert (refusal.reason if refusal else None) is expected
