"""How far the writing of a question set is: rebuilt from its journal, so a killed one goes on."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from contracts.durable import read_journal
from contracts.job import Progress
from contracts.model import Recorded
from contracts.question_set import QuestionCounts, QuestionReason
from contracts.sample import Provenance
from datagen.question_prompts import Cell

WRITTEN = "written.jsonl"


class WrittenQuestion(Recorded):
    """A row of `written.jsonl`: one question of one call, accepted or refused.

    The rows of a call are written at once; `kill -9` may still keep a part of them, which counts.
    """

    cell: str
    call: int
    text: str
    persona: str = ""
    reason: QuestionReason | None = None
    detail: str = ""
    teacher: str = ""
    provenance: Provenance | None = None


class QuestionBoard:
    """Cells with what they have, and counts that add up.

    Args:
        cells: the grid.
        per_cell: accepted questions that each cell should get.
        max_attempts: calls in a row without a new question before a cell is given up.
    """

    def __init__(self, cells: Sequence[Cell], per_cell: int, max_attempts: int) -> None:
        self.cells = list(cells)
        self.per_cell = per_cell
        self.max_attempts = max_attempts
        self.texts: dict[str, list[str]] = defaultdict(list)
        self.rejected: Counter[str] = Counter()
        self.written = 0
        self._calls: Counter[str] = Counter()
        self._last_success: dict[str, int] = {}

    def load(self, folder: Path) -> list[WrittenQuestion]:
        """Take over what the journal in `folder` holds; return the accepted rows."""
        accepted = []
        for row in read_written(folder):
            self.add(row)
            if row.reason is None:
                accepted.append(row)
        return accepted

    def add(self, row: WrittenQuestion) -> None:
        """Record one acknowledged row."""
        self.written += 1
        self._calls[row.cell] = max(self._calls[row.cell], row.call + 1)
        if row.reason:
            self.rejected[row.reason.value] += 1
            return
        self.texts[row.cell].append(row.text)
        self._last_success[row.cell] = row.call

    def next_call(self, cell: Cell) -> int:
        """Return the number of the next call for `cell`, from 0."""
        return self._calls[cell.id]

    def missing(self, cell: Cell) -> int:
        """Return how many questions `cell` still needs."""
        return max(0, self.per_cell - len(self.texts[cell.id]))

    def is_given_up(self, cell: Cell) -> bool:
        """Return whether the last calls for a cell that is not full brought nothing."""
        fruitless = self._calls[cell.id] - 1 - self._last_success.get(cell.id, -1)
        return self.missing(cell) > 0 and fruitless >= self.max_attempts

    def is_open(self, cell: Cell) -> bool:
        """Return whether `cell` is to be asked for."""
        return self.missing(cell) > 0 and not self.is_given_up(cell)

    def short_cells(self) -> dict[str, int]:
        """Return how many questions are missing, by cell, where any is."""
        return {cell.id: missing for cell in self.cells if (missing := self.missing(cell))}

    def counts(self) -> QuestionCounts:
        """Return the counts: asked = accepted + given_up + open, written = accepted + rejected."""
        accepted = sum(map(len, self.texts.values()))
        given_up = sum(self.missing(cell) for cell in self.cells if self.is_given_up(cell))
        asked = self.per_cell * len(self.cells)
        return QuestionCounts(
            asked=asked,
            accepted=accepted,
            given_up=given_up,
            open=asked - accepted - given_up,
            written=self.written,
            rejected=dict(sorted(self.rejected.items())),
            teacher_calls=sum(self._calls.values()),
        )

    def progress(self) -> Progress:
        """Return the progress of the job."""
        counts = self.counts()
        figures = {f"rejected_{reason}": float(n) for reason, n in counts.rejected.items()}
        figures |= {
            "teacher_calls": float(counts.teacher_calls),
            "given_up": float(counts.given_up),
        }
        return Progress(stage="write", done=counts.accepted, total=counts.asked, figures=figures)


def read_written(folder: Path) -> Iterator[WrittenQuestion]:
    """Yield what the teacher wrote for a set that is not published yet."""
    return map(WrittenQuestion.model_validate_json, read_journal(folder / WRITTEN))
