"""Tests of the writing of question sets: by the scripted teacher, or one that is told its lines."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from contracts.question_set import QuestionReason, QuestionSetRequest
from contracts.style import Language
from datagen.question_board import WRITTEN, QuestionBoard, read_written
from datagen.questions import Bank
from fakes.question_bench import QuestionBench

SMALL = QuestionSetRequest(
    emotions=["anxious", "happy", "sad"], areas=["work", "pets"], per_cell=3, batch=2, seed=3
)


@pytest.fixture
def bench(tmp_path: Path, shipped: Path, banks: dict[Language, Bank]) -> QuestionBench:
    """A bench whose teacher never errs."""
    return QuestionBench(tmp_path / "work", shipped, banks)


def check_counts(board: QuestionBoard, bench: QuestionBench) -> None:
    """Both sums hold, and the journal says the same as the board."""
    counts = board.counts()
    rows = list(read_written(bench.folder))
    assert counts.asked == counts.accepted + counts.given_up + counts.open
    assert counts.written == counts.accepted + sum(counts.rejected.values()) == len(rows)
    assert counts.rejected == Counter(row.reason.value for row in rows if row.reason)


async def test_every_cell_gets_its_quota(bench: QuestionBench) -> None:
    """Three questions of each emotion in each area and language, no two alike, each on its cell."""
    board = await bench.run(SMALL)
    rows = [row for row in read_written(bench.folder) if row.reason is None]
    assert Counter(row.cell for row in rows) == {cell.id: 3 for cell in board.cells}
    assert len(board.cells) == 12
    assert len({row.text for row in rows}) == 36
    check_counts(board, bench)
    for row in rows:
        language, area, emotion = row.cell.split("/")
        bank = bench.banks["zh" if language == "zh" else "en"]
        assert bank.recognise(row.text) == bank.situation(f"{area}/{emotion}")
        assert row.persona
        assert row.provenance


async def test_people_of_a_cell_differ(bench: QuestionBench) -> None:
    """Nobody asks twice in a cell."""
    await bench.run(SMALL.model_copy(update={"per_cell": 12}))
    rows = [row for row in read_written(bench.folder) if row.reason is None]
    assert len({(row.cell, row.persona) for row in rows}) == len(rows)


async def test_flawed_lines_are_refused_with_a_reason_and_asked_again(
    tmp_path: Path, shipped: Path, banks: dict[Language, Bank]
) -> None:
    """A teacher that errs in half of its lines still fills the grid; the counts tell it all."""
    bench = QuestionBench(tmp_path / "work", shipped, banks, flaw_rate=0.5)
    board = await bench.run(SMALL.model_copy(update={"per_cell": 8, "max_attempts": 20}))
    check_counts(board, bench)
    assert board.counts().accepted == 96
    assert {"off_cell", "malformed", "wrong_language", "personal_data", "too_short", "in_bank"} <= (
        set(board.counts().rejected)
    )


async def test_killed_writing_goes_on_where_it_was(bench: QuestionBench) -> None:
    """What is in the journal is not asked for again, and a torn last line is."""
    calls = 0

    def stopped() -> bool:
        nonlocal calls
        calls += 1
        return calls > 5

    first = await bench.run(SMALL, stopped=stopped)
    assert 0 < first.counts().accepted < 36
    assert first.counts().open > 0
    asked = dict(bench.teacher.calls)
    with (bench.folder / WRITTEN).open("ab") as journal:
        journal.write(b'{"cell": "zh/work/anx')
    board = await bench.run(SMALL)
    assert board.counts().accepted == 36
    check_counts(board, bench)
    assert not {key for key, times in bench.teacher.calls.items() if times > 1}
    assert set(asked) <= set(bench.teacher.calls)
    before = bench.teacher.calls.total()
    await bench.run(SMALL)
    assert bench.teacher.calls.total() == before


@pytest.mark.parametrize("said", ["", "I cannot help with that.", '{"question": 7}', "[]"])
async def test_teacher_that_never_answers_ends_with_cells_given_up(
    tmp_path: Path, shipped: Path, banks: dict[Language, Bank], said: str
) -> None:
    """Every cell is asked `max_attempts` times; nothing is open, nothing accepted."""
    bench = QuestionBench(tmp_path / "work", shipped, banks, answer=lambda _: said)
    board = await bench.run(SMALL.model_copy(update={"max_attempts": 2}))
    counts = board.counts()
    assert (counts.accepted, counts.open, counts.given_up) == (0, 0, 36)
    assert counts.teacher_calls == 24
    assert counts.rejected == {"malformed": 24}
    check_counts(board, bench)


async def test_questions_over_the_number_asked_for_are_surplus(bench: QuestionBench) -> None:
    """A quota is exact, however much the teacher writes."""
    plain = bench.teacher.answer
    bench.teacher.answer = lambda body: f"Here you are:\n{plain(body)}\n{plain(body)}\n"
    board = await bench.run(SMALL)
    rows = list(read_written(bench.folder))
    assert board.counts().accepted == 36
    assert {row.reason for row in rows} == {None, QuestionReason.SURPLUS}
    check_counts(board, bench)


async def test_teacher_is_shown_what_its_cell_has(bench: QuestionBench) -> None:
    """The second call of a cell names the questions of the first, and other people."""
    seen: list[dict[str, Any]] = []
    plain = bench.teacher.answer

    def answer(body: dict[str, Any]) -> str:
        seen.append(json.loads(body["messages"][-1]["content"]))
        return plain(body)

    bench.teacher.answer = answer
    await bench.run(
        QuestionSetRequest(languages=["zh"], emotions=["sad"], areas=["work"], per_cell=4, batch=2)
    )
    first, second = seen
    assert first["known"] == []
    assert len(second["known"]) == 2
    assert not {one["id"] for one in first["people"]} & {one["id"] for one in second["people"]}
