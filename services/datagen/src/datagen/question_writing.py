"""The teacher writes questions: every cell of the grid is asked for until it is full or given up.

A question counts once it is fsynced in the journal; a killed run asks only for what is missing.
"""

import asyncio
import random
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contracts.question_set import QuestionReason, QuestionSetRequest
from contracts.style import Language
from datagen.asking import RefusedError, TeacherReply
from datagen.board import encodable
from datagen.generate import first_error
from datagen.journals import GroupJournal
from datagen.json_objects import read_objects
from datagen.personas import Persona, Personas
from datagen.question_board import WRITTEN, QuestionBoard, WrittenQuestion
from datagen.question_gates import Draft, Objection, QuestionGates
from datagen.question_prompts import Cell, QuestionPrompts
from datagen.teachers import Asked
from kit.errors import TonesmithError

# Questions of its cell that a call shows the teacher: more would cost more than they prevent.
SHOWN_KNOWN = 8
LONGEST_KEPT = 2000


@dataclass(frozen=True)
class Authors:
    """Who takes part in the writing.

    Attributes:
        teacher: writes the questions.
        prompts: what it is told.
        personas: people who ask, by language.
    """

    teacher: Asked
    prompts: QuestionPrompts
    personas: Mapping[Language, Personas]


@dataclass
class QuestionWriting:
    """Fills the cells of one question set.

    Args:
        folder: the set's staging folder, with the journal of an earlier try, if any.
        request: what is wanted.
        cells: the grid.
        authors: who writes.
        gates: what a question must be.
        on_change: called after each call.
        stopped: asked before each call whether to stop.
    """

    folder: Path
    request: QuestionSetRequest
    cells: Sequence[Cell]
    authors: Authors
    gates: QuestionGates
    on_change: Callable[[QuestionBoard], None] = lambda _: None
    stopped: Callable[[], bool] = lambda: False
    board: QuestionBoard = field(init=False)

    def __post_init__(self) -> None:
        request = self.request
        self.board = QuestionBoard(self.cells, request.per_cell, request.max_attempts)

    async def run(self, workers: int) -> QuestionBoard:
        """Fill the open cells with `workers` tasks; return the board.

        Raises:
            TonesmithError: the teacher is down or misconfigured; nothing acknowledged is lost.
            OSError: the disk refuses a row.
        """
        journal = GroupJournal(self.folder / WRITTEN)  # repairs a torn tail before it is read
        try:
            await asyncio.to_thread(self._load)
            self.on_change(self.board)
            waiting = deque(cell for cell in self.cells if self.board.is_open(cell))
            async with asyncio.TaskGroup() as group:
                for _ in range(min(workers, len(waiting))):
                    group.create_task(self._work(waiting, journal))
        except* (TonesmithError, OSError) as errors:
            raise first_error(errors) from errors
        finally:
            await journal.close()
        return self.board

    def _load(self) -> None:
        """Take over what earlier tries wrote."""
        cells = {cell.id: cell for cell in self.cells}
        for row in self.board.load(self.folder):
            cell = cells[row.cell]
            self.gates.add(Draft(row.text, cell.language, cell.situation))

    async def _work(self, waiting: deque[Cell], journal: GroupJournal) -> None:
        while waiting:
            cell = waiting.popleft()
            while self.board.is_open(cell) and not self.stopped():
                await self._call(cell, journal)
                self.on_change(self.board)

    async def _call(self, cell: Cell, journal: GroupJournal) -> None:
        """Ask once for what `cell` needs, and keep what comes back."""
        call = self.board.next_call(cell)
        chance = random.Random(f"{self.request.seed}/{cell.id}/{call}")
        people = self._people(cell, call, chance)
        known = self.board.texts[cell.id]
        shown = chance.sample(known, min(SHOWN_KNOWN, len(known)))
        try:
            reply = await self.authors.teacher.ask(
                self.authors.prompts.messages(cell, people, shown),
                temperature=self.request.temperature,
                seed=zlib.crc32(f"{self.request.seed}/{cell.id}/{call}".encode()) & 0x7FFFFFFF,
            )
        except RefusedError as error:
            refused = Objection(QuestionReason.MALFORMED, str(error))
            rows = [written(cell, call, "", "", refused)]
        else:
            rows = list(self._judged(cell, call, people, reply))
        await asyncio.gather(*(journal.post(row.model_dump_json()) for row in rows))
        for row in rows:
            self.board.add(row)

    def _people(self, cell: Cell, call: int, chance: random.Random) -> list[Persona]:
        """Return who asks in this call; a cell meets nobody twice before it met everybody."""
        everyone = self.authors.personas[cell.language].everyone
        order = random.Random(f"{self.request.seed}/{cell.id}").sample(everyone, len(everyone))
        wanted = min(self.request.batch, self.board.missing(cell))
        first = call * self.request.batch
        return [order[(first + number) % len(order)] for number in range(wanted)]

    def _judged(
        self, cell: Cell, call: int, people: Sequence[Persona], reply: TeacherReply
    ) -> Iterable[WrittenQuestion]:
        """Yield a row for each question in the reply, and for each piece that is none."""
        objects, broken = read_objects(reply.text)
        source = {"teacher": reply.teacher, "provenance": reply.provenance}
        for number, line in enumerate(objects):
            draft = read_line(line, cell)
            persona = people[number].id if number < len(people) else ""
            objection = self._objection(draft, surplus=number >= len(people))
            if objection is None:
                self.gates.add(draft)
            yield written(cell, call, draft.text, persona, objection, source)
        for piece in broken:
            objection = Objection(QuestionReason.MALFORMED, "no JSON object")
            yield written(cell, call, piece, "", objection, source)

    def _objection(self, draft: Draft, *, surplus: bool) -> Objection | None:
        if not draft.text:
            return Objection(QuestionReason.MALFORMED, "no field question")
        if surplus:
            return Objection(QuestionReason.SURPLUS, "more than were asked for")
        return self.gates.objection(draft)


def read_line(line: Mapping[str, Any], cell: Cell) -> Draft:
    """Return the question in one object of the teacher's, its text empty where there is none."""
    texts = {name: line.get(name) for name in ("question", "emotion", "area")}
    plain = {name: value.strip() if isinstance(value, str) else "" for name, value in texts.items()}
    return Draft(
        encodable(plain["question"][:LONGEST_KEPT]),
        cell.language,
        cell.situation,
        emotion=plain["emotion"],
        area=plain["area"],
    )


def written(
    cell: Cell,
    call: int,
    text: str,
    persona: str,
    objection: Objection | None,
    source: Mapping[str, Any] | None = None,
) -> WrittenQuestion:
    """Return the journal's row for one question."""
    return WrittenQuestion(
        cell=cell.id,
        call=call,
        text=encodable(text[:LONGEST_KEPT]),
        persona=persona,
        reason=objection.reason if objection else None,
        detail=encodable(objection.detail[:200]) if objection else "",
        **(source or {}),
    )
