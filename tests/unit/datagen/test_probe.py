"""Tests of the forgetting probe: its items, its checks, its verdict."""

from pathlib import Path

import pytest

from contracts.evaluation import Reply
from contracts.style import Language
from datagen.chat import Answer
from datagen.evaluate import Asked
from datagen.probe import (
    Constraints,
    Item,
    ProbeJudge,
    by_id,
    load_probe,
    probe_figures,
    probe_questions,
)
from fakes.styled_dataset import SHIPPED

ITEMS = load_probe(SHIPPED / "probe")


def test_shipped_items_are_balanced_and_their_own() -> None:
    """Both languages, both kinds, twenty to forty in all, no id or question twice."""
    items = [item for group in ITEMS.values() for item in group]
    assert set(ITEMS) == {"zh", "en"}
    assert 20 <= len(items) <= 40
    assert len(by_id(ITEMS)) == len({item.ask for item in items}) == len(items)
    for group in ITEMS.values():
        assert {item.kind for item in group} == {"instruction", "general"}


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        ({"json_keys": ["city"]}, '```json\n{"city": "Paris"}\n```', "city: Paris"),
        ({"json_keys": ["city"]}, '{"city": 1, "more": 2}', '{"town": 1}'),
        ({"json_keys": ["a"]}, '{"a": 1}', "[1]"),
        ({"items": 2}, "1. One\n2. Two", "1. One"),
        ({"items": 2}, "- 一\n- 二", "一、二"),
        ({"contains": ["Lantern"]}, "A lantern glows.", "A lamp glows."),
        ({"excludes": ["snow"]}, "It is cold.", "Snow falls."),
        ({"any_of": ["7", "seven"]}, "There are 7.", "There are 17."),
        ({"any_of": ["东京"]}, "是东京。", "是北京。"),
        ({"most_characters": 5}, "12345", "123456"),
        ({"least_characters": 2}, "ab", "a"),
        ({"sentences": 2}, "一句。两句。", "一句。"),
        ({"starts": "Dear"}, "Dear Ann", "Ann, dear"),
        ({"ends": "OVER"}, "Rain, OVER", "OVER and out"),
        ({"upper": True}, "THANK YOU!", "Thank you!"),
    ],
)
def test_constraints_are_checked(check: dict[str, object], good: str, bad: str) -> None:
    """Each constraint passes what meets it and nothing else; an empty reply meets none."""
    constraints = Constraints.model_validate(check)
    assert constraints.met_by(good)
    assert not constraints.met_by(bad)
    assert not constraints.met_by(" ")


def test_giving_the_question_back_is_no_answer() -> None:
    """An echo holds the asked word, and is refused."""
    item = next(item for item in ITEMS["en"] if item.id == "word-lantern")
    assert item.passed_by("The lantern swings in the wind.")
    assert not item.passed_by(item.ask)


def test_item_without_a_constraint_is_refused(tmp_path: Path) -> None:
    """Any reply would pass it; the error names the file."""
    text = "language: en\nitems:\n- {id: a, kind: general, ask: 'Why?', check: {}}\n"
    (tmp_path / "en.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"(?s)en\.yaml.*at least one constraint"):
        load_probe(tmp_path)


def test_only_languages_of_the_styles_are_asked() -> None:
    """A Chinese model is not asked in English, and nobody gets a style prompt."""
    questions = probe_questions(ITEMS, ["zh", "zh"])
    assert {one.language for one in questions} == {"zh"}
    assert [message.role for message in questions[0].messages] == ["user"]


def test_judge_marks_a_reply() -> None:
    """The item's constraints decide."""
    question = next(one for one in probe_questions(ITEMS, ["en"]) if one.style == "capital-japan")
    judge = ProbeJudge(by_id(ITEMS))
    asked = Asked("base", "base", question)
    assert judge.reply(asked, Answer("It is Tokyo.", "stop")).passed
    assert judge.reply(asked, Answer("It is Kyoto.", "stop")).passed is False


def rows(base: int, tuned: int) -> list[Reply]:
    """Return replies to all items, of which the first so many are right."""
    asked = probe_questions(ITEMS, ["en", "zh"])
    return [
        Reply(
            contestant=name,
            model=name,
            style=one.style,
            situation=None,
            question=one.question,
            reply="!",
            predicted_style="",
            on_topic=None,
            passed=place < right,
        )
        for name, right in (("base", base), ("tuned", tuned))
        for place, one in enumerate(asked)
    ]


@pytest.mark.parametrize(
    ("base", "tuned", "verdict"),
    [
        (0, 0, "cannot_tell"),  # nothing known, nothing to lose
        (5, 0, "cannot_tell"),
        (30, 30, "kept"),
        (30, 12, "forgot"),
        (30, 28, "cannot_tell"),  # too few items to be sure
    ],
)
def test_forgetting_is_told_where_it_is_sure(base: int, tuned: int, verdict: str) -> None:
    """A model that fails everything before and after has not proven that nothing is forgotten."""
    found = probe_figures(rows(base, tuned), ITEMS, 1)
    assert found is not None
    assert found.verdict == verdict
    assert found.difference.value == pytest.approx((tuned - base) / found.items)
    right = {score.contestant: score.right for score in found.scores}
    assert right["base"].value == pytest.approx(base / found.items)
    kinds = found.scores[0].by_kind
    assert sum(figure.count for figure in kinds.values()) == found.items


def test_nothing_is_told_without_both_models() -> None:
    """An evaluation without the probe has no figures of it."""
    no_items: dict[Language, list[Item]] = {}
    assert probe_figures([], no_items, 1) is None
