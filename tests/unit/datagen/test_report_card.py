"""Tests of the report card and its page, on rows of which we know what is wrong with them."""

from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from contracts.quality import ReportCard, Thresholds
from contracts.sample import RejectReason
from contracts.style import Language, Style
from datagen.coverage import coverage as coverage_map
from datagen.judging import ORDER
from datagen.library import read_card
from datagen.measured import Measured, Row, measure
from datagen.page import signed
from datagen.questions import Bank
from datagen.report_card import near_clusters, report_card
from datagen.report_card_page import quiet_gates, render_report_card
from datagen.vectors import NgramVectors
from datagen.words import words
from fakes.measured_rows import good_rows
from kit.crisis import load_screens

VOID = {"meta", "input", "br"}
ATTACK = "哼，谁要特地帮你啊！<script>alert(1)</script>快去啦！打13800138000。"


@pytest.fixture(scope="module")
def cards(shipped: Path) -> dict[str, Style]:
    """Two Chinese cards and an English one."""
    names = ("tsundere", "gentle", "dry-butler")
    return {name: read_card(shipped / "styles" / f"{name}.yaml") for name in names}


@pytest.fixture
async def measured(cards: dict[str, Style], banks: dict[Language, Bank], shipped: Path) -> Measured:
    """120 good rows, two of which come again, one with a phone number, one refused already."""
    rows = good_rows(cards, banks)
    again = [replace(rows[0], id="again-1"), replace(rows[0], id="again-2", situation=None)]
    bad = replace(rows[3], id="phone", reply=ATTACK, question="怎么找你呢？", masked=())
    done = replace(rows[4], id="masked", question="另一个完全不同的问题？", masked=("email",))
    refused = Row("refused", "gentle", "问？", "", reason=RejectReason.TOO_SHORT)
    screens = load_screens()
    return await measure([*rows, *again, bad, done, refused], cards, NgramVectors(), screens)


@pytest.fixture
def card(measured: Measured, banks: dict[Language, Bank]) -> ReportCard:
    """The report card on them."""
    return report_card(
        measured,
        dataset_id="styled-1",
        created_at=datetime.now(UTC),
        limits=Thresholds(),
        banks=banks,
    )


def test_rows_add_up(card: ReportCard) -> None:
    """First reasons and clean rows are all rows; refused ones are not looked at again."""
    assert card.rows == 124
    assert card.clean + sum(gate.first for gate in card.gates) == card.rows
    assert sum(style.rows for style in card.styles) == card.rows
    assert sum(style.clean for style in card.styles) == card.clean
    assert sum(card.languages.values()) == card.rows


def test_each_finding_has_its_gate_and_examples(card: ReportCard) -> None:
    """Every gate is there, with what it found."""
    gates = {gate.reason: gate for gate in card.gates}
    assert list(gates) == list(ORDER)
    assert gates[RejectReason.DUPLICATE].flagged == 2
    assert [shown.row for shown in gates[RejectReason.PERSONAL_DATA].examples] == ["phone"]
    assert card.personal_data == {"phone": 1}
    assert gates[RejectReason.ECHO].flagged == 0
    assert card.masked == 1


def test_repetitions_hang_together(card: ReportCard, measured: Measured) -> None:
    """A row and its two repetitions are one cluster of three."""
    assert (len(card.clusters), card.clusters[0].rows, card.clustered_rows) == (1, 3, 3)
    assert card.clusters[0].styles == ["tsundere"]
    assert near_clusters(measured, 1.0) == near_clusters(measured, 0.7)


def test_coverage_counts_situations_and_shows_holes(
    card: ReportCard, measured: Measured, banks: dict[Language, Bank]
) -> None:
    """The grid is that of the banks of its languages, not only what the rows have."""
    coverage = card.coverage
    chinese = [row for row in measured.rows if row.style != "dry-butler"]
    some = coverage_map(chinese, banks, measured.languages)
    assert some.emotions == [emotion.id for emotion in banks["zh"].file.emotions]
    assert len(coverage.emotions) >= 24
    assert len(coverage.areas) >= 16
    assert coverage.without_situation == 1
    assert sum(sum(counts.values()) for counts in coverage.counts.values()) == card.rows - 1


def test_figures_of_a_style(card: ReportCard) -> None:
    """Lengths are ordered, and a style with a rival stands out from it."""
    for style in card.styles:
        sizes = style.lengths
        assert sizes.shortest <= sizes.p5 <= sizes.median <= sizes.p95 <= sizes.longest
    contrast = {style.id: style.contrast for style in card.styles}
    assert contrast["dry-butler"] is None
    assert contrast["tsundere"] is not None
    assert contrast["tsundere"] > 0.1
    assert 0.9 < card.balance < 1


def test_empty_dataset_has_a_report_card(
    cards: dict[str, Style], banks: dict[Language, Bank]
) -> None:
    """Nothing accepted is nothing wrong, and the page can be drawn."""
    nothing = Measured([], [], "n-grams", {})
    found = report_card(
        nothing, dataset_id="none", created_at=datetime.now(UTC), limits=Thresholds(), banks=banks
    )
    assert (found.rows, found.clean, found.balance) == (0, 0, 0.0)
    assert "This dataset has no rows" in render_report_card(found, list(cards.values()), banks)


class Outline(HTMLParser):
    """Collects what a browser would build, and what it would fetch or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag, and every attribute that could reach out."""
        self.tags.add(tag)
        self.links += [
            name for name, _ in attrs if name in ("src", "href", "action") or name[:2] == "on"
        ]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Check that the innermost open element closes."""
        if self.open.pop() != tag:
            self.unbalanced.append(tag)


def test_page_is_whole_fetches_nothing_and_escapes(
    card: ReportCard, cards: dict[str, Style], banks: dict[Language, Bank]
) -> None:
    """Every element closes; what a row says is shown, never run."""
    text = render_report_card(card, list(cards.values()), banks)
    outline = Outline(text)
    assert (outline.open, outline.unbalanced, outline.links) == ([], [], [])
    assert not {"script", "link", "img", "iframe"} & outline.tags
    assert "http" not in text.replace("http-equiv", "")
    assert "&lt;script&gt;alert(1)" in text


def test_page_speaks_both_languages(
    card: ReportCard, cards: dict[str, Style], banks: dict[Language, Bank]
) -> None:
    """Headline, styles, gates, emotions and areas are there in Chinese and English."""
    text = render_report_card(card, list(cards.values()), banks)
    situation = banks["en"].situations[0]
    for told in (
        "行没有毛病", "of 124 rows are clean", "傲娇", "Dry British butler",
        "个人信息", "Personal data",
        situation.emotion.name, situation.area.name, banks["zh"].situations[0].area.name,
    ):  # fmt: skip
        assert told in text


def test_every_gate_has_a_name() -> None:
    """No reason is shown by its code."""
    assert [reason for reason in ORDER if f"gate.{reason.value}" not in words()] == []


def test_cosines_are_readable() -> None:
    """A real minus sign, three digits, and a dash for what is not known."""
    assert (signed(0.1234), signed(-0.02), signed(None)) == ("+0.123", "−0.020", "–")


def test_a_gate_that_is_off_is_not_said_to_find_nothing(card: ReportCard) -> None:
    """Who reads that the judge refuses no row would think that one was asked."""
    assert words()["gate.judge"].en not in quiet_gates(card).en
    assert words()["gate.too_long"].en in quiet_gates(card).en
    strict = card.model_copy(update={"thresholds": Thresholds(judge=2.5)})
    assert words()["gate.judge"].en in quiet_gates(strict).en
