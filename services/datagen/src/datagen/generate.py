"""Generation by quota: every slot is asked until a reply passes the gates or its tries are over.

A row counts once it is fsynced in its journal; a killed run asks only for what is missing.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from contracts.dataset import DatasetRequest
from contracts.model import Recorded
from contracts.sample import RejectReason, Sample, Turn
from contracts.style import Language, StyleVersion
from contracts.volume import read_document, write_document
from datagen.asking import RefusedError, TeacherReply
from datagen.board import Board, rejected_row
from datagen.crisis import Screen
from datagen.gates import GENERATED, Candidate, Refusal, scores
from datagen.journals import EarlierTurn, Journals
from datagen.metrics import Metrics
from datagen.prompts import Prompts, teacher_messages
from datagen.questions import Bank, Question
from datagen.routing import Judged, judge_row
from datagen.slots import Questions, Slot, plan, request_seed
from datagen.teachers import Asked
from kit.errors import TonesmithError

PLAN = "plan.json"


class Plan(Recorded):
    """`plan.json` in the staging folder: what was asked, with the cards as they were then."""

    request: DatasetRequest
    styles: list[StyleVersion]


class Generation:
    """Fills the slots of one dataset.

    Args:
        folder: the dataset's staging folder, with the journals of an earlier try, if any.
        plan: what to generate.
        banks: questions by language.
        prompts: teacher prompts.
        teacher: writes the replies.
        metrics: counts the rows.
        screens: tell a crisis, by language.
        on_change: called after each row.
        stopped: asked before each teacher call whether to stop.
    """

    def __init__(
        self,
        folder: Path,
        plan_: Plan,
        *,
        banks: dict[Language, Bank],
        prompts: Prompts,
        teacher: Asked,
        metrics: Metrics,
        screens: Mapping[Language, Screen] | None = None,
        on_change: Callable[[Board], None] = lambda _: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self.folder = folder
        self.request = plan_.request
        self.teacher = teacher
        self.metrics = metrics
        self.screens = screens or {}
        self.on_change = on_change
        self.stopped = stopped
        self.questions = Questions(banks, plan_.request.seed)
        self.systems = {card.style.id: prompts.system(card.style) for card in plan_.styles}
        self.board = Board(plan(plan_.request, plan_.styles), plan_.request.max_attempts)

    async def run(self, workers: int) -> Board:
        """Fill the open slots with `workers` tasks; return the board.

        Raises:
            TonesmithError: the teacher is down or misconfigured; nothing acknowledged is lost.
            OSError: the disk refuses a row.
        """
        async with Journals(self.folder) as journals:  # repairs torn tails before they are read
            await asyncio.to_thread(self.board.load, self.folder)
            self.on_change(self.board)
            waiting = deque(self.board.open_slots())
            try:
                async with asyncio.TaskGroup() as group:
                    for _ in range(min(workers, len(waiting))):
                        group.create_task(self._work(waiting, journals))
            except* (TonesmithError, OSError) as errors:
                raise first_error(errors) from errors
        return self.board

    async def _work(self, waiting: deque[Slot], journals: Journals) -> None:
        while waiting and not self.stopped():
            await self._fill(waiting.popleft(), journals)

    async def _fill(self, slot: Slot, journals: Journals) -> None:
        """Ask for one slot until it is filled or given up."""
        state = self.board.state(slot)
        while not self.stopped() and slot.id not in self.board.given_up:
            turn, attempt = len(state.turns), state.attempt
            question = self.questions.draw(slot, turn, attempt)
            try:
                reply = await self._ask(slot, state.turns, question, turn, attempt)
            except RefusedError as error:
                refusal = Refusal(RejectReason.MALFORMED, str(error))
                await self._reject(slot, attempt, question, "", refusal, journals)
                continue
            done = await self._judge(slot, state.turns, attempt, question, reply, journals)
            self.on_change(self.board)
            if done:
                return

    async def _ask(
        self, slot: Slot, history: list[Turn], question: Question, turn: int, attempt: int
    ) -> TeacherReply:
        style = slot.style.style
        return await self.teacher.ask(
            teacher_messages(self.systems[style.id], history, question.text),
            temperature=style.temperature,
            seed=request_seed(self.request.seed, slot, turn, attempt),
        )

    async def _judge(
        self,
        slot: Slot,
        history: list[Turn],
        attempt: int,
        question: Question,
        reply: TeacherReply,
        journals: Journals,
    ) -> bool:
        """Journal the reply as a row, as an earlier turn or as refused; return whether a row."""
        style = slot.style.style
        said = Candidate(style, question.text, reply.text, tuple(history), reply.cut)
        judged = judge_row(said, GENERATED[style.language], self.board.index, self.screens)
        candidate = judged.routed.candidate
        if judged.refusal:
            await self._reject(slot, attempt, question, candidate.reply, judged.refusal, journals)
            return False
        self.board.remember(slot.id, candidate.question, candidate.reply)
        if len(history) + 1 < slot.turns:
            turn = Turn(user=candidate.question, assistant=candidate.reply)
            earlier = EarlierTurn(
                slot=slot.id,
                number=len(history),
                turn=turn,
                teacher=reply.teacher,
                provenance=reply.provenance,
            )
            await journals.turns.append(earlier)
            self.board.add_turn(earlier)
            return False
        sample = self._sample(slot, attempt, question, judged, reply)
        await journals.samples.append(sample)
        self.board.add_sample(sample)
        self.metrics.count_sample(reply.usage)
        return True

    def _sample(
        self,
        slot: Slot,
        attempt: int,
        question: Question,
        judged: Judged,
        reply: TeacherReply,
    ) -> Sample:
        style, candidate = slot.style.style, judged.routed.candidate
        return Sample(
            id=slot.id.replace("/", "-"),
            slot=slot.id,
            style=style.id,
            style_version=slot.style.version,
            language=style.language,
            question=candidate.question,
            reply=candidate.reply,
            system=style.system_prompt,
            history=list(candidate.history),
            situation=question.situation.id,
            teacher=reply.teacher,
            attempt=attempt,
            scores=scores(candidate, judged.nearest),
            masked=judged.routed.masked,
            safety=judged.routed.safety,
            provenance=reply.provenance,
        )

    async def _reject(
        self,
        slot: Slot,
        attempt: int,
        question: Question,
        reply: str,
        refusal: Refusal,
        journals: Journals,
    ) -> None:
        row = rejected_row(slot, attempt, question.text, reply, refusal.reason, refusal.detail)
        await journals.rejected.append(row)
        self.board.add_rejected(row)
        self.metrics.samples.labels("rejected", refusal.reason.value).inc()


def first_error(group: BaseExceptionGroup[Exception]) -> Exception:
    """Return the first error in `group`, however deeply it is nested."""
    first = group.exceptions[0]
    return first_error(first) if isinstance(first, BaseExceptionGroup) else first


def pinned_plan(folder: Path, fresh: Callable[[], Plan]) -> Plan:
    """Return the plan that was pinned in `folder`, or pin a fresh one.

    A resumed run must not see cards that were edited meanwhile.
    """
    path = folder / PLAN
    if not path.exists():
        write_document(path, fresh())
    return read_document(path, Plan)
