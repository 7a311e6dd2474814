"""Tests of one row explained: every gate's figure beside its threshold."""

from dataclasses import replace
from pathlib import Path

import pytest

from contracts.quality import Explanation, GateReading, Thresholds
from contracts.sample import RejectReason
from contracts.style import Language, Style
from datagen.explaining import explain
from datagen.judging import ORDER, judge
from datagen.library import read_card
from datagen.measured import Measured, measure
from datagen.questions import Bank
from datagen.vectors import NgramVectors
from fakes.measured_rows import good_rows
from kit.crisis import load_screens
from kit.errors import NotFoundError


@pytest.fixture
async def measured(banks: dict[Language, Bank], shipped: Path) -> Measured:
    """Rows of two styles; one comes again, one again under the other style, one tells a number."""
    names = ("tsundere", "gentle")
    cards: dict[str, Style] = {
        name: read_card(shipped / "styles" / f"{name}.yaml") for name in names
    }
    rows = good_rows(cards, banks, per_style=12)
    first = rows[0]
    other = next(name for name in names if name != first.style)
    rows += [
        replace(first, id="again"),
        replace(first, id="near", reply=first.reply[:-2] + "的。"),
        replace(first, id="elsewhere", style=other),
        replace(rows[1], id="phone", question="怎么找你呢？", reply="打我电话13800138000就好。"),
        replace(rows[2], id="refused", reply="哼", reason=RejectReason.TOO_SHORT),
    ]
    return await measure(rows, cards, NgramVectors(), load_screens())


def gate(told: Explanation, reason: RejectReason) -> GateReading:
    """Return what one gate says."""
    return next(one for one in told.gates if one.reason is reason)


def test_every_gate_speaks_in_its_order(measured: Measured) -> None:
    """For every row the explanation agrees with the judgement."""
    for row, figures in zip(measured.rows, measured.figures, strict=True):
        told = explain(measured, row.id, Thresholds())
        refusing = [one.reason for one in told.gates if one.refuses]
        assert [one.reason for one in told.gates] == list(ORDER)
        assert refusing == [one.reason for one in judge(figures, Thresholds())]
        assert told.would_be_refused_for == next(iter(refusing), None)
        assert told.refused_for == row.reason


def test_duplicate_names_the_row_that_it_repeats(measured: Measured) -> None:
    """The same letters, nearly the same, and the same under another style's name."""
    first = measured.rows[0].id
    for name, reason in {
        "again": RejectReason.DUPLICATE,
        "near": RejectReason.NEAR_DUPLICATE,
        "elsewhere": RejectReason.CROSS_STYLE_DUPLICATE,
    }.items():
        told = gate(explain(measured, name, Thresholds()), reason)
        assert told.refuses
        assert told.like == first
    assert gate(explain(measured, "near", Thresholds()), RejectReason.DUPLICATE).like is None


def test_threshold_stands_beside_the_figure(measured: Measured) -> None:
    """Whether a row passes or not; a gate without a threshold has only its detail."""
    row = measured.rows[3]
    told = explain(measured, row.id, Thresholds(shortest=9))
    length = gate(told, RejectReason.TOO_SHORT)
    assert (length.refuses, length.value, length.limit) == (False, len(row.reply), 9)
    phone = gate(explain(measured, "phone", Thresholds()), RejectReason.PERSONAL_DATA)
    assert (phone.refuses, phone.limit, phone.detail) == (True, None, "phone")


def test_other_thresholds_may_bring_a_row_back(measured: Measured) -> None:
    """What the dataset says and what these thresholds say are two things."""
    told = explain(measured, "refused", Thresholds(shortest=1, contrast=-1))
    assert told.refused_for is RejectReason.TOO_SHORT
    assert told.would_be_refused_for is None
    assert explain(measured, "refused", Thresholds()).would_be_refused_for == "too_short"


def test_unknown_row_is_not_found(measured: Measured) -> None:
    """The message says where ids come from."""
    with pytest.raises(NotFoundError, match="no row 'nobody'"):
        explain(measured, "nobody", Thresholds())
