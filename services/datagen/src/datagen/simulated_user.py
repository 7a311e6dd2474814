"""The user of a dialogue: after each styled reply the teacher plays them, and gates look at it.

Nothing is kept here: the plan follows from the request, the state from the journals. So after
`kill -9` only those words are asked for that no journal has.
"""

import re
import zlib
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Protocol

from contracts.dataset import DatasetRequest
from contracts.sample import RejectReason, Trajectory, UserState
from contracts.style import Language
from datagen.asking import RefusedError, TeacherReply
from datagen.board import SlotState
from datagen.dialogues import index_of, levels, trajectory_of
from datagen.gates import Refusal
from datagen.intensity import intensity
from datagen.journals import UserTurn
from datagen.personal_data import mask
from datagen.prompts import Prompts, UserPart
from datagen.questions import Situation
from datagen.slots import Slot
from datagen.teachers import Asked
from datagen.user_gates import Said, user_refusal

# People differ more than a style does.
TEMPERATURE = 0.9
# What models put around the words they were asked for.
NAMED = re.compile(r"\A\s*(?:你|我|用户|you|me|user|person)\s*[:：]\s*", re.IGNORECASE)
QUOTES = (("“", "”"), ('"', '"'), ("「", "」"), ("'", "'"))


class Situations(Protocol):
    """Where situations are found by their id."""

    def situation(self, situation_id: str) -> Situation:
        """Return a situation. Raises KeyError."""


@dataclass(frozen=True)
class Unheard:
    """Words of a simulated user that were refused."""

    text: str
    refusal: Refusal


class SimulatedUser:
    """Plays the users of one dataset's dialogues.

    Args:
        request: of the dataset; its seed decides the trajectories.
        prompts: ask the teacher to play a user.
        teacher: plays them.
        banks: situations by language.
    """

    def __init__(
        self,
        request: DatasetRequest,
        prompts: Prompts,
        teacher: Asked,
        banks: Mapping[Language, Situations],
    ) -> None:
        self.request, self.prompts, self.teacher, self.banks = request, prompts, teacher, banks

    def trajectory(self, slot: Slot) -> Trajectory:
        """Return how the feeling goes on in this row."""
        index = index_of(self.request, slot.number)
        return trajectory_of(self.request, slot.style.style.id, index)

    def opening(self, slot: Slot, text: str, situation: Situation | None) -> UserState | None:
        """Return the state at the first turn, whose words the bank has; None for a single turn."""
        if slot.turns == 1:
            return None
        return UserState(
            emotion=situation.emotion.id if situation else "",
            intensity=levels(self.trajectory(slot), slot.turns)[0],
            measured=intensity(text, slot.style.style.language),
        )

    async def speak(
        self, slot: Slot, state: SlotState, known: Container[str]
    ) -> UserTurn | Unheard:
        """Return what the user says next, or why it is refused.

        Args:
            slot: the row.
            state: what its journals have; at least the first exchange.
            known: letters of what users of this dataset have said.

        Raises what `Teacher.ask` raises but RefusedError, which is a refusal.
        """
        trajectory, number = self.trajectory(slot), len(state.earlier)
        level = levels(trajectory, slot.turns)[number]
        language = slot.style.style.language
        situation = self.situation(language, state.earlier[0].situation)
        part = UserPart(language, situation, trajectory, level)
        try:
            answer = await self.teacher.ask(
                self.prompts.user_messages(part, state.turns),
                temperature=TEMPERATURE,
                seed=user_seed(self.request.seed, slot, number, state.attempt),
            )
        except RefusedError as error:
            return Unheard("", Refusal(RejectReason.MALFORMED, str(error)))
        text, masked = mask(bare(answer.text), language)
        before = [exchange.state.measured for exchange in state.earlier if exchange.state]
        said = Said(
            slot.style.style, text, state.turns, trajectory, level, before, known, answer.cut
        )
        if refusal := user_refusal(said):
            return Unheard(text, refusal)
        emotion = situation.emotion.id if situation else ""
        return UserTurn(
            slot=slot.id,
            number=number,
            text=text,
            state=state_of(emotion, level, intensity(text, language), answer),
            masked=masked,
        )

    def situation(self, language: Language, situation_id: str | None) -> Situation | None:
        """Return the situation of a row; None where the bank does not know it."""
        try:
            return self.banks[language].situation(situation_id) if situation_id else None
        except KeyError:
            return None


def state_of(emotion: str, level: int, measured: float, answer: TeacherReply) -> UserState:
    """Return the record of a user's turn."""
    return UserState(
        emotion=emotion,
        intensity=level,
        measured=measured,
        teacher=answer.teacher,
        provenance=answer.provenance,
    )


def user_seed(seed: int, slot: Slot, turn: int, attempt: int) -> int:
    """Return the seed of one request for a user's words: 31 bits, never that of a reply."""
    return zlib.crc32(f"{seed}/{slot.id}/{turn}/user/{attempt}".encode()) & 0x7FFFFFFF


def bare(text: str) -> str:
    """Return `text` without a name before it and quotation marks around it."""
    plain = NAMED.sub("", text).strip()
    for left, right in QUOTES:
        if len(plain) > 1 and plain.startswith(left) and plain.endswith(right):
            inner = plain[1:-1]
            return plain if left in inner or right in inner else inner.strip()
    return plain
