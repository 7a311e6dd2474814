"""One exchange of a row on its way: what is asked, after what, and the rows that it may become."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from contracts.sample import Dialogue, Sample, Trajectory, Turn, UserState
from datagen.asking import TeacherReply
from datagen.gates import Candidate, scores
from datagen.journals import EarlierTurn
from datagen.routing import Judged
from datagen.slots import Slot


@dataclass(frozen=True)
class Exchange:
    """A question with all that its reply needs.

    Attributes:
        slot: the row.
        attempt: from 1, of the whole row.
        text: what the user says.
        situation: id of what the row is about.
        earlier: the exchanges that are through.
        trajectory, state: of a simulated user; None in a row of one turn.
        masked: kinds of personal data that were replaced in `text`.
    """

    slot: Slot
    attempt: int
    text: str
    situation: str | None
    earlier: Sequence[EarlierTurn] = ()
    trajectory: Trajectory | None = None
    state: UserState | None = None
    masked: Sequence[str] = field(default=())

    @property
    def history(self) -> list[Turn]:
        """The exchanges before, as they were said."""
        return [exchange.turn for exchange in self.earlier]

    @property
    def said(self) -> list[str]:
        """Everything that the user said, the latest last."""
        return [*(turn.user for turn in self.history), self.text]

    def candidate(self, reply: TeacherReply) -> Candidate:
        """Return the exchange with a reply, for the gates."""
        return Candidate(
            self.slot.style.style, self.text, reply.text, tuple(self.history), reply.cut
        )

    def ends_row(self, judged: Judged) -> bool:
        """Return whether this accepted exchange is the row's last.

        A dialogue that reaches a crisis ends with the safe reply: nobody talks on in a style.
        """
        return bool(judged.routed.safety) or len(self.earlier) + 1 >= self.slot.turns

    def earlier_turn(self, judged: Judged, reply: TeacherReply) -> EarlierTurn:
        """Return the journal's row of an exchange that others follow."""
        said = judged.routed.candidate
        return EarlierTurn(
            slot=self.slot.id,
            number=len(self.earlier),
            turn=Turn(user=said.question, assistant=said.reply),
            teacher=reply.teacher,
            provenance=reply.provenance,
            situation=self.situation,
            state=self.state,
            masked=self.all_masked(judged),
        )

    def sample(self, judged: Judged, reply: TeacherReply) -> Sample:
        """Return the row that this exchange ends."""
        style, said = self.slot.style.style, judged.routed.candidate
        return Sample(
            id=self.slot.id.replace("/", "-"),
            slot=self.slot.id,
            style=style.id,
            style_version=self.slot.style.version,
            language=style.language,
            question=said.question,
            reply=said.reply,
            system=style.system_prompt,
            history=list(said.history),
            situation=self.situation,
            teacher=reply.teacher,
            attempt=self.attempt,
            scores=scores(said, judged.nearest),
            masked=self.all_masked(judged),
            safety=judged.routed.safety,
            provenance=reply.provenance,
            dialogue=self.dialogue(),
        )

    def dialogue(self) -> Dialogue | None:
        """Return what was asked of the user, turn by turn; None where nobody was simulated."""
        asked = [*(exchange.state for exchange in self.earlier), self.state]
        states = [state for state in asked if state]
        if self.trajectory is None or len(states) < len(asked):
            return None
        return Dialogue(
            trajectory=self.trajectory,
            states=states,
            replies=[exchange.provenance for exchange in self.earlier],
        )

    def all_masked(self, judged: Judged) -> list[str]:
        """Return the kinds of personal data that were replaced so far."""
        before = (kind for exchange in self.earlier for kind in exchange.masked)
        return sorted({*before, *self.masked, *judged.routed.masked})
