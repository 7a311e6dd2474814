"""Generation by quota: every slot is asked until a reply passes the gates or its tries are over.

A row counts once it is fsynced in its journal; a killed run asks only for what is missing.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from contracts.dataset import DatasetRequest
from contracts.model import Recorded
from contracts.sample import Rejected, RejectReason
from contracts.style import Language, StyleVersion
from contracts.volume import read_document, write_document
from datagen.asking import RefusedError, TeacherReply
from datagen.board import Board, SlotState, rejected_row
from datagen.drawing import Questions
from datagen.exchange import Exchange
from datagen.gates import GENERATED, Refusal
from datagen.journals import Journals
from datagen.metrics import Metrics
from datagen.prompts import Prompts, teacher_messages
from datagen.questions import Bank
from datagen.routing import judge_row, safe_answer
from datagen.simulated_user import SimulatedUser, Unheard
from datagen.slots import Slot, plan, request_seed
from datagen.teachers import Asked
from datagen.text import letters
from datagen.turns import tasks_for
from kit.crisis import Screen
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
        slots: those that are filled here; by default all of the plan.
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
        slots: list[Slot] | None = None,
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
        self.user = SimulatedUser(plan_.request, prompts, teacher, banks)
        mine = plan(plan_.request, plan_.styles) if slots is None else slots
        self.board = Board(mine, plan_.request.max_attempts)

    async def run(self, workers: int) -> Board:
        """Fill the open slots, for `workers` calls at once; return the board.

        Raises:
            TonesmithError: the teacher is down or misconfigured; nothing acknowledged is lost.
            OSError: the disk refuses a row.
        """
        async with Journals(self.folder) as journals:  # repairs torn tails before they are read
            await asyncio.to_thread(self.board.load, self.folder)
            self.on_change(self.board)
            await self.work(deque(self.board.open_slots()), workers, journals)
        return self.board

    async def work(self, waiting: deque[Slot], workers: int, journals: Journals) -> None:
        """Fill the slots in `waiting`, for `workers` calls at once. Raises what `run` raises."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(tasks_for(workers), len(waiting))):
                    group.create_task(self._work(waiting, journals))
        except* (TonesmithError, OSError) as errors:
            raise first_error(errors) from errors

    async def _work(self, waiting: deque[Slot], journals: Journals) -> None:
        while waiting and not self.stopped():
            await self.fill(waiting.popleft(), journals)

    async def fill(self, slot: Slot, journals: Journals) -> None:
        """Ask for one slot until it is filled or given up: the user's words, the reply, in turn."""
        state = self.board.state(slot)
        while not self.stopped() and slot.id not in self.board.given_up:
            if state.earlier and state.asked is None:
                await self._listen(slot, state, journals)
                done = False
            else:
                done = await self._answer(self._exchange(slot, state), journals)
            self.on_change(self.board)
            if done:
                return

    async def _listen(self, slot: Slot, state: SlotState, journals: Journals) -> None:
        """Ask for what the simulated user says next, and journal it, or why it is refused."""
        attempt = state.attempt
        heard = await self.user.speak(slot, state, self.board.said)
        if isinstance(heard, Unheard):
            refusal, turn = heard.refusal, len(state.earlier)
            row = rejected_row(slot, attempt, heard.text, "", refusal.reason, refusal.detail)
            history = [exchange.turn for exchange in state.earlier]
            said = row.model_copy(update={"turn": turn, "speaker": "user", "history": history})
            await self._reject(said, journals)
            return
        self.board.said.add(letters(heard.text))  # before the disk answers: others ask meanwhile
        await journals.users.append(heard)
        self.board.add_words(heard)

    def _exchange(self, slot: Slot, state: SlotState) -> Exchange:
        """Return what is asked next: the slot's own question first, then the user's words."""
        attempt, trajectory = state.attempt, None
        if slot.turns > 1:
            trajectory = self.user.trajectory(slot)
        if words := state.asked:
            return Exchange(
                slot,
                attempt,
                words.text,
                state.earlier[0].situation,
                tuple(state.earlier),
                trajectory,
                words.state,
                words.masked,
            )
        question = self.questions.draw(slot, attempt)
        opening = self.user.opening(slot, question.text, question.situation)
        return Exchange(
            slot, attempt, question.text, question.situation_id, (), trajectory, opening
        )

    async def _answer(self, exchange: Exchange, journals: Journals) -> bool:
        """Ask for a reply and journal it as a row, an earlier turn or refused; tell if a row."""
        try:
            reply = await self._ask(exchange)
        except RefusedError as error:
            refusal = Refusal(RejectReason.MALFORMED, str(error))
            await self._refuse(exchange, "", refusal, journals)
            return False
        said, limits = exchange.candidate(reply), GENERATED[exchange.slot.style.style.language]
        judged = judge_row(said, limits, self.board.index, self.screens)
        candidate = judged.routed.candidate
        if judged.refusal:
            await self._refuse(exchange, candidate.reply, judged.refusal, journals)
            return False
        self.board.remember(exchange.slot.id, candidate.question, candidate.reply)
        if not exchange.ends_row(judged):
            earlier = exchange.earlier_turn(judged, reply)
            await journals.turns.append(earlier)
            self.board.add_turn(earlier)
            return False
        sample = exchange.sample(judged, reply)
        await journals.samples.append(sample)
        self.board.add_sample(sample)
        self.metrics.count_sample(reply.usage)
        return True

    async def _ask(self, exchange: Exchange) -> TeacherReply:
        """Return the teacher's reply; to a person in a crisis the safe one, which costs no call."""
        slot, style = exchange.slot, exchange.slot.style.style
        if safe := safe_answer(self.screens, style.language, exchange.said):
            return TeacherReply(safe[1])
        turn = len(exchange.earlier)
        return await self.teacher.ask(
            teacher_messages(self.systems[style.id], exchange.history, exchange.text),
            temperature=style.temperature,
            seed=request_seed(self.request.seed, slot, turn, exchange.attempt),
        )

    async def _refuse(
        self, exchange: Exchange, reply: str, refusal: Refusal, journals: Journals
    ) -> None:
        """Journal a reply that was refused."""
        row = rejected_row(
            exchange.slot, exchange.attempt, exchange.text, reply, refusal.reason, refusal.detail
        )
        before = {"turn": len(exchange.earlier), "history": exchange.history}
        await self._reject(row.model_copy(update=before), journals)

    async def _reject(self, row: Rejected, journals: Journals) -> None:
        await journals.rejected.append(row)
        self.board.add_rejected(row)
        self.metrics.samples.labels("rejected", row.reason.value).inc()


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
