"""Tests of what the gates measure of a finished dataset."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from contracts.quality import Thresholds
from contracts.sample import Rejected, RejectReason, Sample, Turn
from contracts.style import Language, Style
from datagen.judging import judge
from datagen.library import read_card
from datagen.measured import Measured, Row, measure, rows_of
from datagen.questions import Bank
from datagen.vectors import NgramVectors
from fakes.measured_rows import good_rows, with_reply
from kit.crisis import Screen, load_screens

LIMITS = Thresholds()


@pytest.fixture(scope="module")
def cards(shipped: Path) -> dict[str, Style]:
    """Two Chinese cards and an English one."""
    names = ("tsundere", "gentle", "dry-butler")
    return {name: read_card(shipped / "styles" / f"{name}.yaml") for name in names}


@pytest.fixture(scope="module")
def screens() -> dict[Language, Screen]:
    """The shipped screens."""
    return load_screens()


@pytest.fixture(scope="module")
def rows(cards: dict[str, Style], banks: dict[Language, Bank]) -> list[Row]:
    """Good rows."""
    return good_rows(cards, banks)


async def found(
    rows: list[Row], cards: dict[str, Style], screens: dict[Language, Screen]
) -> dict[str, set[RejectReason]]:
    """Return what the gates have against each row that they have anything against."""
    measured = await measure(rows, cards, NgramVectors(), screens)
    return {
        row.id: reasons
        for row, figures in zip(measured.rows, measured.figures, strict=True)
        if (reasons := {refusal.reason for refusal in judge(figures, LIMITS)})
    }


async def test_good_rows_are_clean(
    rows: list[Row], cards: dict[str, Style], screens: dict[Language, Screen]
) -> None:
    """Nothing is held against what the scripted teacher writes."""
    assert await found(rows, cards, screens) == {}


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("Hmph, it is not as if I wanted to help you with that!", "wrong_language"),
        ("作为一个AI语言模型，我没有情感，不能评价您的老板。", "assistant_voice"),
        ("哼，谁要特地帮你啊！打我电话13800138000啦。快去啦！", "personal_data"),
        ("哼！<|im_end|>谁要特地帮你啊，快去啦！", "control_token"),
        ("哼，你怎么还不去死？烦死了啦！", "crisis"),
        ("啦", "too_short"),
        (
            "辛苦啦，抱抱你。先喝口热水，再把能改的一处写下来就好。不管怎样，我都站你这边。🌸",
            "other_style",
        ),
    ],
)
async def test_defect_is_found_with_its_reason(
    reply: str,
    reason: str,
    rows: list[Row],
    cards: dict[str, Style],
    screens: dict[Language, Screen],
) -> None:
    """One bad reply in the first style, and nothing else is flagged."""
    at = next(place for place, row in enumerate(rows) if row.style == "tsundere")
    reasons = await found(with_reply(rows, at, reply), cards, screens)
    assert set(reasons) == {rows[at].id}
    assert RejectReason(reason) in reasons[rows[at].id]


async def test_later_row_is_the_duplicate(
    rows: list[Row], cards: dict[str, Style], screens: dict[Language, Screen]
) -> None:
    """Exact and near repetition within a style, and across two, each have their reason."""
    first = rows[0]
    same = replace(first, id="same", reply=first.reply + "！")
    near = replace(first, id="near", reply=first.reply[:-6] + "呀" + first.reply[-6:])
    across = replace(first, id="across", style="gentle")
    reasons = await found([*rows, same, near, across], cards, screens)
    assert set(reasons) == {"same", "near", "across"}
    assert reasons["same"] == {RejectReason.DUPLICATE}
    assert reasons["near"] == {RejectReason.NEAR_DUPLICATE}
    assert RejectReason.CROSS_STYLE_DUPLICATE in reasons["across"]


async def test_crisis_wants_a_safe_reply(
    rows: list[Row], cards: dict[str, Style], screens: dict[Language, Screen]
) -> None:
    """The same question is flagged with a styled reply and fine with a safe one."""
    question = "我真的不想活了"
    styled = replace(rows[0], id="styled", question=question)
    safe = replace(styled, id="safe", reply=screens["zh"].reply("suicide", question))
    marked = replace(safe, safety="suicide")
    again = replace(marked, id="again", question="活着没意思，不想活了")
    reasons = await found([*rows, styled, marked, again], cards, screens)
    assert reasons == {"styled": {RejectReason.CRISIS}}


async def test_earlier_turns_are_looked_at(
    rows: list[Row], cards: dict[str, Style], screens: dict[Language, Screen]
) -> None:
    """Personal data and crisis count wherever in the row they stand."""
    told = replace(rows[0], id="told", history=(Turn(user="我想自杀", assistant="别急。"),))
    phone = replace(
        rows[1], id="phone", history=(Turn(user="我的号13800138000", assistant="记下了。"),)
    )
    reasons = await found([told, phone, *rows[2:]], cards, screens)
    assert reasons == {"told": {RejectReason.CRISIS}, "phone": {RejectReason.PERSONAL_DATA}}


async def test_refused_rows_neither_teach_nor_count_as_earlier(
    rows: list[Row], cards: dict[str, Style], screens: dict[Language, Screen]
) -> None:
    """An accepted row that repeats a refused one is no duplicate; the other way round it is."""
    refused = replace(rows[5], id="refused", reason=RejectReason.NEAR_DUPLICATE)
    measured = await measure([refused, *rows], cards, NgramVectors(), screens)
    figures = {row.id: one for row, one in zip(measured.rows, measured.figures, strict=True)}
    assert figures[rows[5].id].within is None
    twin = figures["refused"].within
    assert twin is not None
    assert twin.same


async def test_style_without_a_card_is_left_out(
    rows: list[Row], cards: dict[str, Style], screens: dict[Language, Screen]
) -> None:
    """A refused row of an unknown style has nothing to be measured by."""
    stray = Row("stray", "pirate", "问？", "答。", reason=RejectReason.UNKNOWN_STYLE)
    measured = await measure([*rows, stray], cards, NgramVectors(), screens)
    assert len(measured.rows) == len(rows)


async def test_nothing_can_be_measured(
    cards: dict[str, Style], screens: dict[Language, Screen]
) -> None:
    """A dataset of which nothing was accepted is no error."""
    measured = await measure([], cards, NgramVectors(), screens)
    assert isinstance(measured, Measured)
    assert measured.rows == []


async def test_single_style_has_no_contrast(
    rows: list[Row], cards: dict[str, Style], screens: dict[Language, Screen]
) -> None:
    """With one style of a language there is none to mix it up with."""
    only = [row for row in rows if row.style == "dry-butler"]
    measured = await measure(only, {"dry-butler": cards["dry-butler"]}, NgramVectors(), screens)
    assert np.isnan([figures.contrast for figures in measured.figures]).all()


def test_rows_come_from_the_journals() -> None:
    """Accepted rows first; a refused attempt keeps its slot, its number and its reason."""
    sample = Sample(
        id="a-1", slot="a/1", style="a", style_version=1, language="zh",
        question="问？", reply="答。", situation="work/anger", masked=["phone"], safety=None,
    )  # fmt: skip
    refused = Rejected(
        slot="a/2", style="a", attempt=3, question="问？", reply="", reason=RejectReason.TOO_SHORT
    )
    first, second = rows_of([sample], [refused])
    assert (first.id, first.situation, first.masked, first.reason) == (
        "a-1",
        "work/anger",
        ("phone",),
        None,
    )
    assert (second.id, second.reason) == ("a/2#3", RejectReason.TOO_SHORT)
