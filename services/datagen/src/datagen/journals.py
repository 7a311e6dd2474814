"""Journals of a generation, with group commit: one fsync acknowledges all rows that wait for it."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

from pydantic import BaseModel

from contracts.durable import Journal, read_journal
from contracts.model import Recorded
from contracts.sample import Provenance, Rejected, Sample, Turn, UserState

SAMPLES, REJECTED, TURNS = "samples.jsonl", "rejected.jsonl", "turns.jsonl"
USERS = "users.jsonl"


class EarlierTurn(Recorded):
    """A row of `turns.jsonl`: an accepted exchange of a dialogue whose last turn is still open.

    It is what keeps a resumed dialogue from asking the teacher for its first turns again.
    """

    slot: str
    number: int
    turn: Turn
    teacher: str = ""
    provenance: Provenance | None = None
    situation: str | None = None
    state: UserState | None = None
    masked: list[str] = []


class UserTurn(Recorded):
    """A row of `users.jsonl`: accepted words of a simulated user, whose reply may still be open."""

    slot: str
    number: int
    text: str
    state: UserState
    masked: list[str] = []


class GroupJournal:
    """An append-only journal for many tasks: `append` returns once the row is on the disk.

    Rows that arrive while the disk is busy are written together by the next fsync.
    """

    def __init__(self, path: Path) -> None:
        self._journal = Journal(path)
        self._waiting: list[tuple[str, asyncio.Future[None]]] = []
        self._flusher: asyncio.Task[None] | None = None

    async def append(self, row: BaseModel) -> None:
        """Write `row` durably. Raises OSError where the disk refuses it."""
        await self.post(row.model_dump_json())

    def post(self, line: str) -> asyncio.Future[None]:
        """Queue one line of JSON; the future is done once it is on the disk, or has the OSError."""
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._waiting.append((line, done))
        if self._flusher is None or self._flusher.done():
            self._flusher = loop.create_task(self._flush())
        return done

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            group, self._waiting = self._waiting, []
            lines = [line for line, _ in group]
            try:
                await loop.run_in_executor(None, self._journal.append, lines)
            except OSError as error:
                settle(group, error)
            else:
                settle(group, None)

    async def close(self) -> None:
        """Wait for what is being written, and close the file."""
        if self._flusher:
            await self._flusher
        self._journal.close()


def settle(group: list[tuple[str, asyncio.Future[None]]], error: OSError | None) -> None:
    """Tell every task that still waits for `group` how it went."""
    for _, done in group:
        if done.done():
            continue
        if error:
            done.set_exception(error)
        else:
            done.set_result(None)


class Journals:
    """The four journals in a dataset's staging folder; use as an async context.

    Args:
        folder: the staging folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def __aenter__(self) -> Self:
        self.samples = GroupJournal(self.folder / SAMPLES)
        self.rejected = GroupJournal(self.folder / REJECTED)
        self.turns = GroupJournal(self.folder / TURNS)
        self.users = GroupJournal(self.folder / USERS)
        return self

    async def __aexit__(self, *_: object) -> None:
        async with AsyncExitStack() as every:  # closes them all, also where one raises
            for journal in (self.samples, self.rejected, self.turns, self.users):
                every.push_async_callback(journal.close)


def read_samples(folder: Path) -> Iterator[Sample]:
    """Yield the accepted rows of a dataset, published or not."""
    return map(Sample.model_validate_json, read_journal(folder / SAMPLES))


def read_rejected(folder: Path) -> Iterator[Rejected]:
    """Yield the rejected rows of a dataset, published or not."""
    return map(Rejected.model_validate_json, read_journal(folder / REJECTED))


def read_turns(folder: Path) -> Iterator[EarlierTurn]:
    """Yield the earlier turns of the dialogues of a generation."""
    return map(EarlierTurn.model_validate_json, read_journal(folder / TURNS))


def read_user_turns(folder: Path) -> Iterator[UserTurn]:
    """Yield what the simulated users of a generation said."""
    return map(UserTurn.model_validate_json, read_journal(folder / USERS))


def write_lines(path: Path, rows: list[str]) -> None:
    """Write `rows` of JSON as one new journal file (made durable when its folder is published)."""
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
