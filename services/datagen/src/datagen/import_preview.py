"""What an import would do with a file, row by row; nothing is written."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from contracts.dataset import ImportPreview, PreviewedRow, RowProblem
from contracts.question_set import RejectedQuestion, SetQuestion
from contracts.sample import Rejected, Sample
from contracts.style import Language
from contracts.volume import Volume
from datagen.importing import sift
from datagen.library import StyleLibrary
from datagen.question_gates import IMPORTED_SIZES, QuestionGates
from datagen.question_import import draft_of, judged, read_lines
from datagen.questions import Bank
from datagen.rows import read_rows
from kit.crisis import Screen, load_screens

# What a person looks through; the counts are of all rows.
ROWS_SHOWN, PROBLEMS_SHOWN, LETTERS_SHOWN = 8, 50, 400


def preview_rows(root: Path, content: bytes, shipped: Path) -> ImportPreview:
    """Return what `import_file` would keep of the rows in `content`.

    Raises InvalidInputError where the file as a whole cannot be read.
    """
    styles = StyleLibrary(Volume(root)).known(shipped / "styles")
    sieve = sift(read_rows(content), styles, load_screens(shipped / "safety"))
    return ImportPreview(
        rows=len(sieve.kept) + len(sieve.refused),
        accepted=len(sieve.kept),
        rejected=sieve.reasons(),
        styles=dict(sorted(Counter(row.style for row in sieve.kept).items())),
        shown=[shown_row(row) for row in sieve.kept[:ROWS_SHOWN]],
        problems=[row_problem(row) for row in sieve.refused[:PROBLEMS_SHOWN]],
    )


def preview_questions(
    content: bytes, form: str, banks: Mapping[Language, Bank], screens: Mapping[Language, Screen]
) -> ImportPreview:
    """Return what `import_questions` would keep of the questions in `content`.

    Raises InvalidInputError where a line cannot be understood; it names line and field.
    """
    drafts = [(line, draft_of(line, banks)) for line in read_lines(content, form)]
    kept, refused = judged(drafts, QuestionGates(banks, screens, IMPORTED_SIZES, labelled=False))
    return ImportPreview(
        rows=len(drafts),
        accepted=len(kept),
        rejected=dict(sorted(Counter(row.reason.value for row in refused).items())),
        shown=shown_questions(kept),
        problems=question_problems(refused),
    )


def shown_row(row: Sample) -> PreviewedRow:
    """Return a row that would be kept; its slot says which of the file it is, from 0."""
    return PreviewedRow(
        number=number_in(row.slot) + 1,
        style=row.style,
        question=row.question[:LETTERS_SHOWN],
        reply=row.reply[:LETTERS_SHOWN],
        turns=len(row.history),
    )


def row_problem(row: Rejected) -> RowProblem:
    """Return a row that would be left out."""
    return RowProblem(
        number=number_in(row.slot) + 1,
        reason=row.reason,
        detail=row.detail[:LETTERS_SHOWN],
        text=row.question[:LETTERS_SHOWN],
    )


def shown_questions(kept: Sequence[SetQuestion]) -> list[PreviewedRow]:
    """Return the first questions that would be kept; their id ends with their line."""
    return [
        PreviewedRow(number=int(row.id.rsplit("-", 1)[1]), question=row.text[:LETTERS_SHOWN])
        for row in kept[:ROWS_SHOWN]
    ]


def question_problems(refused: Sequence[RejectedQuestion]) -> list[RowProblem]:
    """Return the first questions that would be left out; their cell is `line <number>`."""
    return [
        RowProblem(
            number=int(row.cell.rsplit(" ", 1)[1]),
            reason=row.reason,
            detail=row.detail[:LETTERS_SHOWN],
            text=row.text[:LETTERS_SHOWN],
        )
        for row in refused[:PROBLEMS_SHOWN]
    ]


def number_in(slot: str) -> int:
    """Return the number of a row of a file, from 0."""
    return int(slot.rsplit("/", 1)[1])
