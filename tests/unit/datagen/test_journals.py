"""Tests of the journals with group commit."""

import asyncio
import os
from pathlib import Path

import pytest

from contracts.sample import Rejected, RejectReason, Turn
from datagen.journals import EarlierTurn, GroupJournal, Journals, read_turns


def row(number: int) -> EarlierTurn:
    """Return an earlier turn."""
    return EarlierTurn(slot=f"a/{number}", number=0, turn=Turn(user="u", assistant="a"))


async def test_row_is_on_the_disk_when_append_returns(tmp_path: Path) -> None:
    """What is acknowledged can be read by another process."""
    journal = GroupJournal(tmp_path / "turns.jsonl")
    await journal.append(row(1))
    assert [turn.slot for turn in read_turns(tmp_path)] == ["a/1"]
    await journal.close()


async def test_rows_that_wait_share_one_fsync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred tasks cost a few fsyncs, and every row is written once."""
    journal = GroupJournal(tmp_path / "turns.jsonl")
    synced = 0
    real = os.fsync

    def counted(descriptor: int) -> None:
        nonlocal synced
        synced += 1
        real(descriptor)

    monkeypatch.setattr(os, "fsync", counted)
    await asyncio.gather(*(journal.append(row(number)) for number in range(100)))
    await journal.close()
    assert sorted(turn.slot for turn in read_turns(tmp_path)) == sorted(
        f"a/{number}" for number in range(100)
    )
    assert 1 <= synced < 10


async def test_disk_that_refuses_is_reported_to_every_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is told that a row is safe which is not."""
    journal = GroupJournal(tmp_path / "turns.jsonl")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    results = await asyncio.gather(
        *(journal.append(row(number)) for number in range(3)), return_exceptions=True
    )
    assert all(isinstance(result, OSError) for result in results)
    monkeypatch.undo()
    await journal.close()


async def test_torn_tail_is_cut_when_the_journals_are_opened(tmp_path: Path) -> None:
    """Half a line was never acknowledged: it moves aside, the rest stays."""
    path = tmp_path / "rejected.jsonl"
    good = Rejected(
        slot="a/0", style="a", attempt=1, question="q", reply="r", reason=RejectReason.ECHO
    ).model_dump_json()
    path.write_text(good + "\n" + good[:20])
    async with Journals(tmp_path) as journals:
        await journals.rejected.append(Rejected.model_validate_json(good))
    assert path.read_text() == f"{good}\n{good}\n"
    assert (tmp_path / "rejected.jsonl.torn").read_text() == good[:20]
