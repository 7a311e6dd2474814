"""Training runs in the reader's words."""

from typing import Any

import pytest

from fakes.recorded_runs import FLAT, OVERFIT, recorded, recorded_runs
from ui.texts import texts_in
from ui.training.runs import card_html, ending, list_html, memory_text, metrics_text
from ui.training.source import Training

ZH, EN = texts_in("zh"), texts_in("en")
RUNS = tuple(recorded_runs())


@pytest.mark.parametrize(
    ("known", "english"),
    [
        (FLAT, "The loss went flat: stopped at step 420 of 900."),
        (OVERFIT, "The held-out loss rises (overfitting): stopped at step 300 of 600."),
        (OVERFIT | {"max_steps": 300}, "stopped at step 300 of 600."),
        (FLAT | {"stop": None}, "All 420 steps done."),
        (FLAT | {"stop": None, "state": "cancelled"}, "Ended at step 420: Cancelled"),
        ({"id": "r", "state": "running", "step": 3}, ""),
        ({"id": "r", "state": "queued"}, ""),
    ],
)
def test_end_is_told_in_both_languages(known: dict[str, Any], english: str) -> None:
    """With the step and the plan; nothing while a run goes on."""
    run = recorded(known)
    assert ending(EN, run).endswith(english)
    assert bool(ending(ZH, run)) == bool(english)


def test_failure_is_told_in_the_trainers_words() -> None:
    """The step, and the message."""
    why = EN("failure.non_finite_loss")
    assert ending(EN, RUNS[2]) == f"Ended at step 37: {why}"
    assert "<li>the loss is no number at step 37</li>" in card_html(EN, RUNS[2])


def test_list_has_a_row_for_each_run() -> None:
    """The chosen one is marked; what is not known is a dash."""
    page = list_html(EN, Training(RUNS, RUNS[1]))
    assert page.count("<tr") == 1 + len(RUNS)
    assert page.count("ts-chosen") == 1
    for words in ("420 / 900", "0.2183", "0.2507", "packed", ">380<", "The loss went flat", "–"):
        assert words in page


@pytest.mark.parametrize(
    ("training", "key"), [(Training(), "train.down"), (Training(()), "train.none")]
)
def test_empty_list_says_why_and_what_to_type(training: Training, key: str) -> None:
    """A trainer that is down is told from one that has nothing to show."""
    page = list_html(ZH, training)
    assert ZH(key) in page
    assert "<code>tonesmith" in page


def test_card_begins_with_why_the_run_ended() -> None:
    """Then what it was made of; the trainer's own words last."""
    page = card_html(EN, RUNS[0])
    words = ["The loss went flat", "styled-2026", "qlora", "6 × 2", "predicted 21.6", "BLEU-4 41.7"]
    places = [page.index(word) for word in [*words, "two evaluations"]]
    assert places == sorted(places)
    assert card_html(EN, None) == ""


def test_what_is_not_known_is_left_out() -> None:
    """A run on a CPU has no memory of a card; metrics may have a prefix."""
    fit = RUNS[1].fit
    assert fit is not None
    assert memory_text(EN, fit) == ""
    assert metrics_text({"predict_rouge-l": 60.0, "x": 1.0}) == "ROUGE-L 60"


def test_words_of_others_are_escaped() -> None:
    """A message, a note and a name are data."""
    evil = "<script>alert(1)</script>"
    run = recorded(
        FLAT
        | {
            "stop": None,
            "state": "failed",
            "notes": [evil],
            "error": {"code": "c", "message": evil},
        }
    )
    assert "<script>" not in list_html(EN, Training((run,), run)) + card_html(EN, run)
