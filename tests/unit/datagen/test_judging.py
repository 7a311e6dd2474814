"""Tests of judging measured rows by thresholds, and of the preview of other ones."""

import math
import time

import pytest
from pydantic import ValidationError

from contracts.quality import Thresholds
from contracts.sample import RejectReason
from datagen.gates import Refusal
from datagen.judging import ORDER, judge, preview
from datagen.measured import Figures, Measured, Row, Twin

REASON = RejectReason
CLEAN = Figures(
    characters=60, echo=0.1, language=1.0, contrast=0.2, likeness=0.3,
    within=None, across=None, facts=(),
)  # fmt: skip


def figures(**changes: object) -> Figures:
    """Return the figures of a clean row with some changed."""
    return Figures(**{**CLEAN.__dict__, **changes})  # type: ignore[arg-type]


def dataset(found: list[Figures], reasons: dict[int, RejectReason] | None = None) -> Measured:
    """Return a measured dataset of these figures; `reasons` says which rows were refused."""
    refused = reasons or {}
    rows = [
        Row(f"row-{at}", "a", "问？", "答。", reason=refused.get(at)) for at in range(len(found))
    ]
    return Measured(rows, found, "n-grams", {"a": "zh"})


def reasons(found: Figures, limits: Thresholds) -> list[RejectReason]:
    """Return the reasons against a row, in order."""
    return [refusal.reason for refusal in judge(found, limits)]


@pytest.mark.parametrize(
    ("changes", "limits", "expected"),
    [
        ({}, {}, []),
        ({"characters": 1}, {}, [REASON.TOO_SHORT]),
        ({}, {"shortest": 61}, [REASON.TOO_SHORT]),
        ({}, {"longest": 59}, [REASON.TOO_LONG]),
        ({"echo": 0.8}, {}, [REASON.ECHO]),
        ({"echo": 0.8}, {"echo": 0.9}, []),
        ({"language": 0.4}, {}, [REASON.WRONG_LANGUAGE]),
        ({"contrast": -0.01}, {}, [REASON.OTHER_STYLE]),
        ({"contrast": -0.01}, {"contrast": -1}, []),
        ({"contrast": math.nan}, {"contrast": 1}, []),
        ({"likeness": 0.0}, {}, []),
        ({"likeness": 0.2}, {"likeness": 0.25}, [REASON.UNLIKE_REFERENCES]),
        ({"likeness": math.nan}, {"likeness": 0.25}, []),
        ({"within": Twin(0, 0.72, same=False)}, {}, [REASON.NEAR_DUPLICATE]),
        ({"within": Twin(0, 0.72, same=False)}, {"near_duplicate": 0.75}, []),
        ({"within": Twin(0, 1.0, same=True)}, {"near_duplicate": 1}, [REASON.DUPLICATE]),
        ({"across": Twin(0, 0.9, same=False)}, {}, [REASON.CROSS_STYLE_DUPLICATE]),
    ],
)
def test_thresholds_decide(
    changes: dict[str, object], limits: dict[str, float], expected: list[RejectReason]
) -> None:
    """Each figure meets its threshold; a figure that is not known says nothing."""
    assert reasons(figures(**changes), Thresholds.model_validate(limits)) == expected


def test_reasons_come_in_the_order_of_the_gates() -> None:
    """Facts and figures are sorted together: the first one is the one that counts."""
    found = figures(facts=(Refusal(REASON.PERSONAL_DATA), Refusal(REASON.CRISIS)), echo=1.0)
    assert reasons(found, Thresholds()) == [REASON.CRISIS, REASON.ECHO, REASON.PERSONAL_DATA]


def test_preview_counts_rows_that_change() -> None:
    """Stricter refuses more, looser gives back; each row counts once, with its gate."""
    measured = dataset(
        [
            CLEAN,
            figures(characters=20),
            figures(characters=20, echo=0.9),
            figures(echo=0.7),
            figures(characters=15),
        ],
        {3: REASON.ECHO, 4: REASON.TOO_SHORT},
    )
    found = preview(measured, Thresholds(shortest=30))
    gates = {gate.reason: (gate.refused, gate.kept) for gate in found.gates}
    assert (found.rows, found.kept_now, found.kept_then, found.changed) == (5, 3, 2, 3)
    assert gates[REASON.TOO_SHORT] == (2, 0)
    assert gates[REASON.ECHO] == (0, 1)
    assert sum(sum(pair) for pair in gates.values()) == found.changed
    shown = next(gate for gate in found.gates if gate.reason is REASON.TOO_SHORT)
    assert [example.row for example in shown.examples] == ["row-1", "row-2"]


@pytest.mark.parametrize("reason", [REASON.MALFORMED, REASON.OFF_STYLE, REASON.UNKNOWN_STYLE])
def test_row_refused_for_what_is_not_measured_stays_refused(reason: RejectReason) -> None:
    """No threshold brings back a row that a gate without one has refused."""
    assert preview(dataset([CLEAN], {0: reason}), Thresholds()).changed == 0


def test_preview_names_every_gate() -> None:
    """A slider can be shown for a gate that changes nothing yet."""
    assert [gate.reason for gate in preview(dataset([]), Thresholds()).gates] == list(ORDER)


def test_preview_of_fifty_thousand_rows_is_quick() -> None:
    """A slider asks again and again: well under a second even on a busy machine."""
    some = [CLEAN, figures(characters=3), figures(echo=0.6), figures(contrast=-0.2)]
    measured = dataset(some * 12_500)
    started = time.thread_time()  # of this thread alone, whatever else the machine does
    found = preview(measured, Thresholds(echo=0.5))
    assert time.thread_time() - started < 3
    assert found.changed == 25_000


@pytest.mark.parametrize(
    "limits",
    [{"near_duplicate": 0.3}, {"echo": 0}, {"contrast": 2}, {"typo": 1}, {"language": "x"}],
)
def test_thresholds_out_of_range_are_refused(limits: dict[str, object]) -> None:
    """Below 0.6 pairs are not looked for, so such a threshold would be a lie."""
    with pytest.raises(ValidationError):
        Thresholds.model_validate(limits)
