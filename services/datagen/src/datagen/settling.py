"""Settling: the rows of a dataset as one worker alone would have found them, one after the other.

Which of two near duplicates stays depends on which came first, and with many calls at once, or
many shards, that is chance. So a generation ends with a replay: slot by slot in the order of the
plan, each takes its first attempt that passes all gates beside what the slots before it settled
on. Replies come from the record; where slots now need some that nobody has asked for, they are
asked for and the replay begins again, until nothing is missing.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, Self

from pydantic import BaseModel

from contracts.dataset import Counts
from contracts.durable import fsync_file
from contracts.model import Recorded
from contracts.volume import read_document, write_document
from datagen.board import Board
from datagen.generate import Generation
from datagen.journals import REJECTED, SAMPLES, TURNS, USERS, GroupJournal, Journals
from datagen.metrics import Metrics
from datagen.replies import MissingReplyError, Remembered, Replies
from datagen.slots import Slot
from datagen.teachers import Asked

SETTLED = "settled"
MARK = "settled.json"
# Replies that a replay waits for one by one: together about as long as another replay takes.
AT_ONCE = 8


class Settled(Recorded):
    """`settled/settled.json`, written last: the rows beside it are final."""

    counts: Counts


class Builder(Protocol):
    """Builds the generation that is replayed."""

    def __call__(
        self,
        folder: Path,
        teacher: Asked,
        *,
        metrics: Metrics,
        on_change: Callable[[Board], None],
        stopped: Callable[[], bool],
    ) -> Generation:
        """Return a generation of the whole plan with an empty board."""


class Settling:
    """Settles the rows of one dataset.

    Args:
        staging: the dataset's staging folder; the settled rows go into `settled` below it.
        sources: folders with the records of what was asked before.
        teacher: asked where the record does not know.
        build: the generation.
        on_change: called after each slot of a replay.
        stopped: asked before each slot whether to stop.
        at_once: replies that a replay waits for one by one.
    """

    def __init__(
        self,
        staging: Path,
        sources: Sequence[Path],
        teacher: Asked,
        build: Builder,
        *,
        on_change: Callable[[Board], None] = lambda _: None,
        stopped: Callable[[], bool] = lambda: False,
        at_once: int = AT_ONCE,
    ) -> None:
        self.folder = staging / SETTLED
        self.sources = sources
        self.teacher = teacher
        self.build = build
        self.on_change = on_change
        self.stopped = stopped
        self.at_once = at_once
        self.rounds = 0

    async def run(self) -> Counts | None:
        """Settle; return the counts, or None where it was stopped. Raises what a generation does.

        Killed at any moment it can be run again: what it asked is on the record.
        """
        if (self.folder / MARK).exists():
            return settled_counts(self.folder)
        replies = await asyncio.to_thread(Replies, self.folder, self.sources)
        with replies:
            while not self.stopped():
                self.rounds += 1
                teacher = Remembered(self.teacher, replies, asking=False)
                generation = self.build(
                    self.folder,
                    teacher,
                    metrics=Metrics(),  # the rows were counted when they came
                    on_change=lambda _: None,
                    stopped=self.stopped,
                )
                async with PlainJournals(self.folder) as journals:
                    if missing := await self._replay(generation, teacher, journals):
                        teacher.asking = True
                        await generation.work(missing, self.teacher.most, journals)
                        continue
                return self._finish(generation.board, len(replies) - len(teacher.used))
        return None

    async def _replay(
        self, generation: Generation, teacher: Remembered, journals: Journals
    ) -> deque[Slot]:
        """Judge what is on the record, in the order of the plan; return the slots that lack more.

        The first few replies that are missing are asked for at once, the rest together, later.
        """
        missing: deque[Slot] = deque()
        known = len(teacher.replies)
        for slot in generation.board.slots:
            teacher.asking = len(teacher.replies) < known + self.at_once
            try:
                await generation.fill(slot, journals)
            except MissingReplyError:
                missing.append(slot)
            self.on_change(generation.board)
            await asyncio.sleep(0)  # the service answers others meanwhile
        return missing

    def _finish(self, board: Board, superseded: int) -> Counts | None:
        if board.open_slots():  # stopped in the midst
            return None
        counts = board.counts()
        calls = counts.teacher_calls + superseded
        counts = counts.model_copy(update={"teacher_calls": calls, "superseded": superseded})
        for name in (SAMPLES, REJECTED):
            fsync_file(self.folder / name)
        write_document(self.folder / MARK, Settled(counts=counts))
        return counts


def settled_counts(folder: Path) -> Counts:
    """Return the counts of a folder that is settled. Raises FileNotFoundError, ValueError."""
    return read_document(folder / MARK, Settled).counts


def adopt(staging: Path) -> None:
    """Put the settled rows in the place of those that were journalled; may be done again.

    Rows of a replay that never came to its end stay where they are.
    """
    if not (staging / SETTLED / MARK).exists():
        return
    for name in (SAMPLES, REJECTED):
        settled = staging / SETTLED / name
        if settled.exists():
            settled.replace(staging / name)


class PlainJournal(GroupJournal):
    """A journal that begins empty and waits for no disk: a replay can be done again."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8")

    async def append(self, row: BaseModel) -> None:
        """Write `row`, durable once somebody sees to it. Raises OSError."""
        self._file.write(row.model_dump_json() + "\n")

    async def close(self) -> None:
        """Close the file."""
        self._file.close()


class PlainJournals(Journals):
    """The journals of a replay."""

    async def __aenter__(self) -> Self:
        self.samples = PlainJournal(self.folder / SAMPLES)
        self.rejected = PlainJournal(self.folder / REJECTED)
        self.turns = PlainJournal(self.folder / TURNS)
        self.users = PlainJournal(self.folder / USERS)
        return self
