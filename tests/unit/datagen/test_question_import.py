"""Tests of questions from files."""

import json
from pathlib import Path

import pytest

from contracts.question_set import QuestionImport, QuestionSetManifest
from contracts.style import Language
from contracts.volume import Volume
from datagen.errors import NothingAcceptedError
from datagen.question_import import import_questions
from datagen.question_sets import read_questions, read_refused
from datagen.questions import Bank
from kit.crisis import load_screens
from kit.errors import InvalidInputError, StorageFullError

ROWS = [
    {
        "question": "昨晚我把整理了三年的相册弄丢了一本，坐着发呆。",
        "emotion": "sad",
        "area": "家庭",
    },
    {"question": "I burnt the cake and now everybody pretends to like it.", "emotion": "ashamed"},
    {"question": "今天风真大，你那边呢？"},
]


class Importer:
    """Imports into one volume."""

    def __init__(self, volume: Volume, banks: dict[Language, Bank], shipped: Path) -> None:
        self.volume, self.banks = volume, banks
        self.screens = load_screens()

    def __call__(self, content: str | bytes, **options: object) -> QuestionSetManifest:
        """Import a file."""
        body = content.encode() if isinstance(content, str) else content
        chosen = QuestionImport.model_validate(options)
        return import_questions(self.volume, body, chosen, self.banks, self.screens)


@pytest.fixture
def importer(volume: Volume, banks: dict[Language, Bank], shipped: Path) -> Importer:
    """An importer over an empty volume."""
    return Importer(volume, banks, shipped)


def jsonl(rows: list[dict[str, str]]) -> str:
    """Return rows as JSON Lines."""
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)


CSV = (
    "Question,emotion,AREA\n"
    '"昨晚我把整理了三年的相册弄丢了一本，坐着发呆。",sad,家庭\n'
    '"I burnt the cake and now everybody pretends to like it.",ashamed,\n'
    "今天风真大，你那边呢？,,\n"
)


@pytest.mark.parametrize("content", [jsonl(ROWS), json.dumps(ROWS), CSV, "\ufeff" + CSV])
def test_every_form_gives_the_same_set(importer: Importer, content: str) -> None:
    """Emotion and area by id or name, language by its letters; what is unknown stays unknown."""
    manifest = importer(content, heldout_ratio=0)
    rows = list(read_questions(importer.volume.question_set(manifest.id)))
    assert [row.text for row in rows] == [row["question"] for row in ROWS]
    assert [row.language for row in rows] == ["zh", "en", "zh"]
    assert [(row.area, row.emotion) for row in rows] == [
        ("family", "sad"),
        (None, "ashamed"),
        (None, None),
    ]
    assert (manifest.source, manifest.without_cell, manifest.cells) == ("imported", 2, 1)


def test_plain_text_is_a_question_a_line(importer: Importer) -> None:
    """Empty lines are passed over."""
    manifest = importer("今天风真大，你那边呢？\n\nDid you sleep at all last night?\n")
    assert manifest.languages == {"en": 1, "zh": 1}


def test_refused_questions_are_counted_and_kept_with_their_reason(importer: Importer) -> None:
    """A duplicate, a phone number, a crisis: none is in the set, the counts add up."""
    texts = [ROWS[2]["question"], "今天风真大，你那边呢！", "打我电话13800138000好不好呀？"]
    texts += ["我不想活了，我要自杀。"]
    manifest = importer("\n".join(texts))
    counts = manifest.counts
    assert counts.rejected == {"crisis": 1, "duplicate": 1, "personal_data": 1}
    assert counts.written == counts.accepted + sum(counts.rejected.values()) == 4
    refused = list(read_refused(importer.volume.question_set(manifest.id)))
    assert [row.cell for row in refused] == ["line 2", "line 3", "line 4"]


@pytest.mark.parametrize(
    ("content", "message", "field"),
    [
        (jsonl([*ROWS, {"question": ""}]), "line 4, question", "body.4.question"),
        (jsonl([*ROWS, {"question": "为什么？", "emotion": "huffy"}]), "line 4, emotion", None),
        (jsonl([*ROWS, {"question": "为什么？", "area": "moon"}]), "line 4, area", None),
        (jsonl([*ROWS, {"question": "Pourquoi ?", "language": "fr"}]), "line 4, language", None),
        (jsonl(ROWS) + '\n{"question": 7}', "line 4, question", None),
        (jsonl(ROWS) + "\n7", "line 4, question", None),
        (jsonl(ROWS) + '\n{"question": "cut', "line 4, column", None),
        ("[" + "[" * 100_000, "not usable JSON|line 1", None),
        (CSV + "one,two,three,four\n", "line 5, question: 4 cells", None),
        (CSV + '"open\n', "not CSV", None),
        ("emotion,question\nsad,\n", "line 2, question", None),
        ("", "empty", None),
        (b"\xff\xfe\x00", "UTF-8", None),
    ],
)
def test_line_that_cannot_be_understood_is_named_and_nothing_is_written(
    importer: Importer, content: str | bytes, message: str, field: str | None
) -> None:
    """The whole file is refused: half a file would be found out too late."""
    with pytest.raises(InvalidInputError, match=message) as caught:
        importer(content)
    assert field is None or caught.value.body.field == field
    assert not (importer.volume.root / "questions").exists()


def test_named_form_is_kept(importer: Importer) -> None:
    """A CSV without a column `question` is an error where CSV is asked for, else plain text."""
    with pytest.raises(InvalidInputError, match="no such column"):
        importer("text,emotion\n今天风真大，你那边呢？,sad\n", form="csv")


def test_nothing_to_take_is_an_error(importer: Importer) -> None:
    """A set without a question does not exist."""
    with pytest.raises(NothingAcceptedError, match="personal_data 1"):
        importer("打我电话13800138000好不好呀？")
    assert not (importer.volume.root / "questions").exists()


def test_full_volume_leaves_nothing_behind(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """507, and no folder of half a set."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("contracts.durable.os.fsync", full)
    with pytest.raises(StorageFullError):
        importer(CSV)
    monkeypatch.undo()
    assert list((importer.volume.root / "questions").iterdir()) == []
