"""Tests of published question sets: split, order, and banks that ask them."""

import random
from collections import Counter
from pathlib import Path

import pytest

from contracts.dataset import DatasetRequest
from contracts.question_set import QuestionCounts, SetQuestion
from contracts.style import Language, StyleVersion
from contracts.volume import Volume
from datagen.drawing import Questions
from datagen.question_publish import SetDescription, publish_set, with_splits
from datagen.question_sets import (
    SetBank,
    asked_banks,
    load_set,
    read_questions,
    readable_sets,
    set_manifest,
)
from datagen.questions import Bank
from datagen.slots import plan
from kit.errors import NotFoundError

CELLS = [("work", "anxious"), ("work", "sad"), ("pets", "anxious"), ("pets", "happy")]


def questions(per_cell: int = 4, unplaced: int = 0) -> list[SetQuestion]:
    """Return Chinese questions of a small grid, and some of no cell."""
    placed = [
        SetQuestion(
            id=f"{area}-{emotion}-{number}",
            text=f"{area} {emotion} 第{number}问",
            language="zh",
            area=area,
            emotion=emotion,
        )
        for area, emotion in CELLS
        for number in range(per_cell)
    ]
    return placed + [
        SetQuestion(id=f"free-{number}", text=f"随便问问 {number}", language="zh")
        for number in range(unplaced)
    ]


def publish(volume: Volume, rows: list[SetQuestion], ratio: float = 0.25) -> str:
    """Publish a set; return its id."""
    counts = QuestionCounts(asked=len(rows), accepted=len(rows), written=len(rows))
    publish_set(volume, "small", rows, [], SetDescription("imported", counts, ratio, 7, {}))
    return "small"


@pytest.mark.parametrize("ratio", [0.0, 0.1, 0.25, 0.5])
def test_split_holds_out_the_share_and_keeps_every_cell_in_training(ratio: float) -> None:
    """Never a cell's last question while another has two; the same on every machine."""
    rows = with_splits(questions(4), ratio, 7)
    held = [row for row in rows if row.split == "heldout"]
    assert len(held) == (max(1, round(16 * ratio)) if ratio else 0)
    assert {row.situation_id for row in rows if row.split == "train"} == {
        f"{area}/{emotion}" for area, emotion in CELLS
    }
    assert max(Counter(row.situation_id for row in held).values(), default=0) <= 2
    assert with_splits(list(reversed(rows)), ratio, 7)[::-1] == rows


def test_one_question_is_trained_on(volume: Volume) -> None:
    """Something is held out only where something is left."""
    assert [row.split for row in with_splits(questions(1)[:1], 0.5, 7)] == ["train"]
    assert Counter(row.split for row in with_splits(questions(1)[:2], 0.01, 7)) == {
        "train": 1,
        "heldout": 1,
    }


def test_published_set_is_read_back(volume: Volume) -> None:
    """Manifest and rows agree; nothing else lies in the folder."""
    set_id = publish(volume, questions(4, unplaced=2))
    manifest = set_manifest(volume, set_id)
    rows = list(read_questions(volume.question_set(set_id)))
    assert manifest.rows == Counter(row.split for row in rows)
    assert (manifest.cells, manifest.without_cell, manifest.status) == (4, 2, "complete")
    assert set(manifest.files) == {"questions.jsonl", "rejected.jsonl"}
    assert readable_sets(volume) == [manifest]


def test_every_question_is_asked_before_any_comes_again(
    volume: Volume, banks: dict[Language, Bank], versions: list[StyleVersion]
) -> None:
    """Slots go round the cells; no held-out question is ever asked, whatever the attempt."""
    set_id = publish(volume, questions(4, unplaced=3))
    rows = load_set(volume, set_id, "set_id")
    train = {row.text for row in rows if row.split == "train"}
    drawn = Questions(asked_banks(volume, set_id, banks), 3)
    slots = plan(DatasetRequest(per_style=len(train), multi_turn_ratio=0), versions[:1])
    asked = [drawn.draw(slot, 1) for slot in slots]
    assert {one.text for one in asked} == train
    first = Counter(one.situation_id for one in asked[:5])
    assert max(first.values()) == 1
    for slot in slots:
        for attempt in range(1, 9):
            again = drawn.draw(slot, attempt)
            assert again.text in train
            assert again.situation_id == asked[slot.number].situation_id


def test_held_out_questions_come_once_each(banks: dict[Language, Bank]) -> None:
    """Spread over the grid, none of them trained on."""
    rows = with_splits(questions(8), 0.5, 7)
    bank = SetBank(banks["zh"].file, rows)
    held = [one.text for one in bank.heldout(random.Random(1))]
    assert sorted(held) == sorted(row.text for row in rows if row.split == "heldout")
    trained = [bank.question(place, random.Random(1), 1) for place in bank.places(random.Random(1))]
    assert not set(held) & {one.text for one in trained}


def test_language_without_questions_is_not_asked(
    volume: Volume, banks: dict[Language, Bank]
) -> None:
    """A Chinese set has nothing for English styles; the shipped bank has both."""
    assert set(asked_banks(volume, publish(volume, questions()), banks)) == {"zh"}
    assert asked_banks(volume, "bank", banks) == banks


@pytest.mark.parametrize("name", ["missing", "../etc", ""])
def test_unknown_set_is_not_found(volume: Volume, banks: dict[Language, Bank], name: str) -> None:
    """The error names the field and where to look."""
    with pytest.raises(NotFoundError, match="no question set") as caught:
        asked_banks(volume, name, banks)
    assert caught.value.body.field == "questions"


def test_damaged_manifest_does_not_hide_the_other_sets(volume: Volume, tmp_path: Path) -> None:
    """It is logged and passed over."""
    publish(volume, questions())
    folder = volume.question_set("broken")
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{", encoding="utf-8")
    assert [one.id for one in readable_sets(volume)] == ["small"]
