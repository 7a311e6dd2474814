"""Tests of the verdict and its reasons."""

from typing import Any

import pytest

from contracts.evaluation import ClassifierScore, ContestantScore, Difference
from contracts.interval import Interval
from contracts.proof import Drift, Figure, ForgettingProbe, PairDifference, Reason
from datagen.reasons import Evidence, reasons_of, verdict_of

JUDGE = ClassifierScore(trained_rows=100, heldout_rows=20, accuracy=0.95)


def figure(value: float, spread: float = 0.05) -> Figure:
    """Return a figure with an interval around it."""
    interval = Interval(low=value - spread, high=value + spread)
    return Figure(value=value, interval=interval, count=80)


def given(tuned: float, low: float, judge: float = 0.95, **changes: Any) -> Evidence:
    """Return evidence: accuracy, lower end of the gain, the judge's accuracy."""
    score = ContestantScore(
        accuracy=tuned,
        on_topic=None,
        distinct_2=0.5,
        mean_characters=40,
        defects={},
        accuracy_interval=Interval(low=tuned - 0.05, high=tuned + 0.05),
    )
    gain = Difference(value=0.5, interval=Interval(low=low, high=0.9))
    classifier = JUDGE.model_copy(update={"accuracy": judge})
    return Evidence(classifier, score, gain, 0.2, **changes)


def pair(first: str, second: str, better: str = "first") -> PairDifference:
    """Return a difference between two contestants."""
    return PairDifference(
        first=first,
        second=second,
        questions=80,
        strength=figure(0.2),
        accuracy=figure(0.2),
        p=0.001,
        p_holm=0.003,
        better=better,
    )


RANKED = [pair("tuned", "base"), pair("tuned", "prompted"), pair("prompted", "base")]
FADES = Drift(contestant="tuned", turns=[], slope=figure(-0.2), verdict="fades")
FORGOT = ForgettingProbe(items=36, scores=[], difference=figure(-0.3), verdict="forgot")


@pytest.mark.parametrize(
    ("found", "verdict", "reasons"),
    [
        (given(0.95, low=0.6), "took", []),
        (given(0.95, low=0.6, pairs=RANKED), "took", []),
        (given(0.60, low=0.2), "partly", [Reason.WEAK_STYLE]),
        (given(0.95, low=-0.01), "not", [Reason.NO_BETTER_THAN_BASE]),
        (given(0.95, low=0.0), "not", [Reason.NO_BETTER_THAN_BASE]),
        (given(0.22, low=0.1), "not", [Reason.WEAK_STYLE]),
        (given(0.22, low=0.1, astray=0.6), "not", [Reason.WRONG_STYLE]),
        (given(0.95, low=0.6, judge=0.5), "unclear", [Reason.UNTRUSTED_JUDGE]),
        (given(0.95, low=0.6, drift=FADES), "partly", [Reason.FADES]),
        (given(0.95, low=0.6, probe=FORGOT), "partly", [Reason.FORGOT]),
        (given(0.95, low=0.6, topic_gain=figure(-0.3)), "partly", [Reason.OFF_TOPIC]),
        (given(0.95, low=0.6, topic_gain=figure(-0.05)), "took", []),
        (given(0.95, low=0.6, sound=figure(0.2)), "not", [Reason.BROKEN_REPLIES]),
        (given(0.95, low=0.6, sound_gain=figure(-0.2)), "partly", [Reason.BROKEN_REPLIES]),
    ],
)
def test_every_verdict_but_took_names_its_reasons(
    found: Evidence, verdict: str, reasons: list[Reason]
) -> None:
    """High accuracy alone is no proof: the base may have it too, or the judge may guess."""
    assert reasons_of(found) == reasons
    assert verdict_of(found, reasons) == verdict


def test_prompt_that_does_as_well_is_said_plainly() -> None:
    """The style is there, but nobody needed to train for it."""
    pairs = [pair("tuned", "base"), pair("prompted", "tuned", "none"), pair("prompted", "base")]
    found = given(0.95, low=0.6, pairs=pairs)
    assert reasons_of(found) == [Reason.NO_BETTER_THAN_PROMPT]
    assert verdict_of(found, [Reason.NO_BETTER_THAN_PROMPT]) == "partly"


def test_model_below_its_base_is_not_merely_no_better() -> None:
    """Training took the style away."""
    found = given(0.3, low=-0.5, pairs=[pair("base", "tuned")])
    assert reasons_of(found) == [Reason.BELOW_BASE, Reason.WEAK_STYLE]


def test_judge_without_heldout_rows_is_not_called_bad() -> None:
    """No held-out rows say nothing about the judge."""
    unknown = ClassifierScore(trained_rows=9, heldout_rows=0, accuracy=0)
    found = given(0.9, low=0.4)
    assert reasons_of(Evidence(unknown, found.tuned, found.difference, found.floor)) == []
