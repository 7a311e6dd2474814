"""Tests of what a judge's answer is taken for: repaired where it is clear, refused where not."""

import pytest

from datagen.judge_answers import UnreadableError, read_better, read_object, read_scores
from datagen.rubric import Criterion

CRITERIA = [
    Criterion(id="empathy", name="Empathy", text="?", optional=True),
    Criterion(id="safety", name="Safety", text="?"),
]


@pytest.mark.parametrize(
    "text",
    [
        '{"reason": "ok", "empathy": 4, "safety": 5}',
        '```json\n{"reason": "ok", "empathy": 4, "safety": 5,}\n```',
        "{'reason': 'ok', 'empathy': 4, 'safety': 5}",
        '{"reason": "ok", "empathy": "4/5", "safety": "5"}',
        '{“reason”：“ok”，“empathy”：4，“safety”：5}',
        '{"reason": "ok", "empathy": 4.0, "safety": 5',
        '{reason: "ok", empathy: 4, safety: 5}',
        'First {"empathy": 1, "safety": 1}, no: {"reason": "ok", "empathy": 4, "safety": 5} it is.',
    ],
)  # fmt: skip
def test_what_is_clear_is_read(text: str) -> None:
    """Fences, commas, quotes, full-width signs, a missing end, thinking aloud."""
    assert read_scores(text, CRITERIA) == ({"empathy": 4, "safety": 5}, "ok")


def test_half_a_character_in_a_reason_is_a_question_mark() -> None:
    """What a judge says goes into a journal, which cannot hold it."""
    assert read_better('{"better": "A", "reason": "warm \\ud83d"}') == ("A", "warm ?")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no JSON object"),
        ("I would give it a 4.", "no JSON object"),
        ('{"empathy": 4}', "safety: 'missing'"),
        ('{"empathy": 4, "safety": 6}', "safety: 6 is not from 1 to 5"),
        ('{"empathy": 4, "safety": 0}', "safety: 0 is not from 1 to 5"),
        ('{"empathy": 4, "safety": 4.5}', "safety: '4.5' is no whole number"),
        ('{"empathy": 4, "safety": true}', "no whole number"),
        ('{"empathy": 4, "safety": null}', "no whole number"),
        ('{"empathy": 4, "safety": "high"}', "no whole number"),
        ('{"empathy": 4, "safety": 1e400}', "no whole number"),
        ("[4, 5]", "no JSON object"),
        ('{"empathy": "' + "9" * 5000 + '", "safety": 4}', "no whole number"),
        ('{"empathy": ' * 100_000, "no JSON object"),
    ],
)
def test_what_is_not_clear_is_no_score(text: str, problem: str) -> None:
    """The reason names the criterion; nothing is guessed."""
    with pytest.raises(UnreadableError, match=problem):
        read_scores(text, CRITERIA)


def test_a_criterion_may_not_apply() -> None:
    """Null leaves it out, where the rubric allows it."""
    assert read_scores('{"empathy": null, "safety": 5}', CRITERIA) == ({"safety": 5}, "")


@pytest.mark.parametrize(
    ("text", "better"),
    [('{"better": "A"}', "A"), ('{"better": " b "}', "B"), ('{"better": "TIE"}', "tie")],
)
def test_a_choice_is_read(text: str, better: str) -> None:
    """Whatever its case."""
    assert read_better(text)[0] == better


@pytest.mark.parametrize("text", ['{"better": "both"}', "{}", '{"reason": "A"}'])
def test_no_choice_is_no_verdict(text: str) -> None:
    """Neither a tie nor a winner is made up."""
    with pytest.raises(UnreadableError):
        read_better(text)


def test_a_hostile_answer_ends_soon() -> None:
    """Very many braces neither hang nor crash the reader."""
    with pytest.raises(UnreadableError):
        read_object("{" * 20_000)
    with pytest.raises(UnreadableError):
        read_object("{}" * 5_000)
