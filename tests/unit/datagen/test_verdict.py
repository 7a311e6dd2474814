"""Tests of the figures per style and contestant, and of the verdict."""

from typing import Any

import pytest

from contracts.evaluation import (
    ClassifierScore,
    EvaluationReport,
    EvaluationRequest,
    Reply,
)
from contracts.identity import now
from datagen.verdict import random_accuracy, score_replies

JUDGE = ClassifierScore(trained_rows=100, heldout_rows=20, accuracy=0.95)


def reply(contestant: str, number: int, predicted: str, **changes: Any) -> Reply:
    """Return a judged reply to a question in style `a`."""
    fields: dict[str, Any] = {
        "contestant": contestant,
        "model": f"{contestant}-model",
        "style": "a",
        "number": number,
        "situation": "work/sad",
        "question": "Why?",
        "reply": f"Because {number}.",
        "predicted_style": predicted,
        "strength": 0.5,
        "on_topic": True,
    }
    return Reply(**fields | changes)


def report(replies: list[Reply], judge: ClassifierScore = JUDGE) -> EvaluationReport:
    """Return the report on `replies`."""
    return score_replies(
        replies,
        report_id="eval-1",
        created_at=now(),
        request=EvaluationRequest(dataset_id="d"),
        classifier=judge,
        questions="bank",
        conditioning="system",
        languages={"a": "en", "b": "en"},
    )


def test_scores_are_of_the_asked_style() -> None:
    """Each contestant's share of replies in the asked style, with its interval."""
    replies = [reply("base", n, "b") for n in range(4)]
    replies += [reply("tuned", n, "a" if n else "b", on_topic=n > 1) for n in range(4)]
    found = report(replies)
    style = found.styles[0]
    assert (style.replies, style.base_accuracy, style.tuned_accuracy) == (4, 0.0, 0.75)
    assert (style.on_topic, style.base_on_topic) == (0.5, 1.0)
    assert found.confusion == {"a": {"a": 3, "b": 1}}
    assert found.contestants["tuned"].model == "tuned-model"
    assert found.contestants["tuned"].accuracy_interval is not None
    assert found.difference is not None
    assert found.difference.value == 0.75


def test_defects_are_counted_by_name() -> None:
    """Every defect of every reply counts once."""
    found = report(
        [
            reply("base", 0, "a"),
            reply("tuned", 0, "a", defects=["echo", "unfinished"]),
            reply("base", 1, "a"),
            reply("tuned", 1, "a", defects=["echo"]),
        ]
    )
    assert found.contestants["tuned"].defects == {"echo": 2, "unfinished": 1}
    assert found.contestants["base"].defects == {}


def test_topic_is_unknown_when_no_situation_is() -> None:
    """An import has no situations; its figures say so instead of zero."""
    rows = [reply(who, 0, "a", situation=None, on_topic=None) for who in ("base", "tuned")]
    found = report(rows)
    assert found.styles[0].on_topic is None
    assert found.contestants["tuned"].on_topic is None


def test_random_accuracy_counts_styles_of_the_same_language() -> None:
    """Two Chinese styles and one English: a random tone is right in one of three replies."""
    assert random_accuracy({"a": "zh", "b": "zh", "c": "en"}) == pytest.approx(1 / 3)
    assert random_accuracy({"a": "zh"}) == 0
    assert random_accuracy({}) == 0
