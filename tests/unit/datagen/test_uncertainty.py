"""Tests of the signals that order the queue."""

import pytest

from contracts.sample import RejectReason, Sample
from contracts.style import Style
from datagen.duplicates import NEAR
from datagen.gates import GENERATED
from datagen.uncertainty import Seen, closeness, length_closeness, signals, uncertainties
from fakes.styled_dataset import STYLES, samples


def seen(style: Style, reply: str, question: str = "", **given: object) -> Seen:
    """Return a row of a style."""
    row = Sample(
        id="1", slot="1", style=style.id, style_version=1, language=style.language,
        question=question, reply=reply,
    )  # fmt: skip
    return Seen(row.model_copy(update=given), style)


def test_closeness_is_one_at_the_threshold_and_falls_off() -> None:
    """On both sides alike."""
    assert closeness(0.8, 0.8, 0.4) == 1
    assert closeness(0.7, 0.8, 0.4) == pytest.approx(0.75)
    assert closeness(0.9, 0.8, 0.4) == pytest.approx(0.75)
    assert closeness(0.1, 0.8, 0.4) == 0


def test_length_is_judged_by_ratio() -> None:
    """At a limit 1; twice as long as the shortest 0; an empty reply is no error."""
    limits = GENERATED["zh"]
    assert (
        length_closeness(limits.shortest, limits) == length_closeness(limits.longest, limits) == 1
    )
    assert length_closeness(2 * limits.shortest, limits) == 0
    assert length_closeness(0, limits) == 0


def test_row_near_a_threshold_says_which(tsundere: Style) -> None:
    """A mixed language, a half repeated question, a similar row."""
    mixed = "哼，just go to bed 啦，明天再说嘛。"
    assert signals(seen(tsundere, mixed))["language"] > 0.5
    question = "今天上班被老板骂了一整天"
    half = seen(tsundere, f"哼，{question[:9]}又怎样啦。", question)
    assert signals(half)["echo"] > 0.5
    similar = seen(tsundere, "哼，早点睡啦。", scores={"nearest": NEAR - 0.02})
    assert signals(similar)["near_duplicate"] > 0.9


def test_import_is_not_judged_by_the_words_of_the_card(tsundere: Style) -> None:
    """As its gates do not."""
    assert "off_style" in signals(seen(tsundere, "先睡吧。"))
    assert "off_style" not in signals(seen(tsundere, "先睡吧。", teacher="import"))


def test_row_without_a_card_is_not_judged() -> None:
    """Its style is unknown."""
    row = seen(STYLES["gentle"], "好的。")
    assert signals(Seen(row.sample, None, RejectReason.UNKNOWN_STYLE)) == {}


def test_reply_in_another_style_is_more_uncertain_than_its_neighbours() -> None:
    """The classifier says so, and teaches itself from accepted rows only."""
    rows = [Seen(row, STYLES[row.style]) for row in samples(20)]
    stranger = next(row.sample.reply for row in rows if row.sample.style == "gentle")
    sharp = next(n for n, row in enumerate(rows) if row.sample.style == "tsundere")
    swapped = rows[sharp].sample.model_copy(update={"reply": stranger})
    rows[sharp] = Seen(swapped, STYLES["tsundere"])
    found = uncertainties(rows, STYLES)
    margins = [every["classifier"] for _, _, every in found]
    assert margins[sharp] == 1.0
    assert sorted(margins)[len(margins) // 2] < 0.1


def test_single_style_has_no_classifier() -> None:
    """Nothing to be mixed up with; the other signals stand."""
    rows = [Seen(row, STYLES["gentle"]) for row in samples(3) if row.style == "gentle"]
    found = uncertainties(rows, {"gentle": STYLES["gentle"]})
    assert all("classifier" not in every for _, _, every in found)
    assert uncertainties([], STYLES) == []
