"""How far a generation is: rebuilt from its journals, so that a killed run goes on there."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from contracts.dataset import Counts
from contracts.job import Progress
from contracts.sample import Rejected, RejectReason, Sample, Speaker, Turn
from datagen.duplicates import DuplicateIndex, judged_text
from datagen.journals import (
    EarlierTurn,
    UserTurn,
    read_rejected,
    read_samples,
    read_turns,
    read_user_turns,
)
from datagen.slots import Slot
from datagen.text import letters

EXHAUSTED = "attempts_exhausted"
REPEATED = (
    RejectReason.DUPLICATE,
    RejectReason.NEAR_DUPLICATE,
    RejectReason.CROSS_STYLE_DUPLICATE,
)


@dataclass
class SlotState:
    """What the journals know of one open slot."""

    earlier: list[EarlierTurn] = field(default_factory=list)
    words: list[UserTurn] = field(default_factory=list)
    rejections: Counter[tuple[int, Speaker]] = field(default_factory=Counter)

    @property
    def turns(self) -> list[Turn]:
        """The exchanges that are through."""
        return [exchange.turn for exchange in self.earlier]

    @property
    def asked(self) -> UserTurn | None:
        """What the simulated user said that has no reply yet."""
        return self.words[-1] if self.words and len(self.words) == len(self.earlier) else None

    @property
    def attempt(self) -> int:
        """The number of the next attempt, from 1: of the whole row, so no two are alike."""
        return self.rejections.total() + 1


@dataclass
class Board:
    """Open and filled slots, counts, and the index of duplicates.

    Args:
        slots: what the dataset asks for.
        max_attempts: tries of one turn, the user's or the reply, before its slot is given up.
    """

    slots: list[Slot]
    max_attempts: int
    index: DuplicateIndex = field(default_factory=DuplicateIndex)
    filled: set[str] = field(default_factory=set)
    given_up: set[str] = field(default_factory=set)
    rejected: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    calls: int = 0
    said: set[str] = field(default_factory=set)
    styles: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _states: dict[str, SlotState] = field(default_factory=lambda: defaultdict(SlotState))

    def load(self, folder: Path) -> None:
        """Take over what the journals in `folder` hold."""
        for earlier in read_turns(folder):
            self.remember(earlier.slot, earlier.turn.user, earlier.turn.assistant)
            self.add_turn(earlier)
        for words in read_user_turns(folder):
            self.add_words(words)
        for sample in read_samples(folder):
            self.remember(sample.slot, sample.question, sample.reply)
            self.add_sample(sample)
        for refused in read_rejected(folder):
            self.add_rejected(refused)

    def add_turn(self, earlier: EarlierTurn) -> None:
        """Record an acknowledged exchange of a dialogue that is still open."""
        self._states[earlier.slot].earlier.append(earlier)
        self.calls += 1

    def add_words(self, words: UserTurn) -> None:
        """Record what a simulated user said; nobody says it again."""
        self._states[words.slot].words.append(words)
        self.said.add(letters(words.text))
        self.calls += 1

    def add_sample(self, sample: Sample) -> None:
        """Record an acknowledged row."""
        if sample.slot not in self.filled:
            self._of(sample.slot)["accepted"] += 1
        self.filled.add(sample.slot)
        self.calls += bool(sample.teacher)  # a safe reply took no call

    def add_rejected(self, refused: Rejected) -> None:
        """Record a refused attempt; the last one gives the slot up."""
        state = self._states[refused.slot]
        state.rejections[refused.turn, refused.speaker] += 1
        self.rejected[refused.reason.value] += 1
        self.calls += 1
        self._of(refused.slot)["rejected"] += 1
        tries = state.rejections[refused.turn, refused.speaker]
        if tries >= self.max_attempts and refused.slot not in self.given_up:
            self._of(refused.slot)["given_up"] += 1
            self.given_up.add(refused.slot)

    def remember(self, slot_id: str, question: str, reply: str) -> None:
        """Keep an accepted exchange from being accepted again in its style."""
        self.index.add(slot_id.split("/", 1)[0], judged_text(question, reply))

    def state(self, slot: Slot) -> SlotState:
        """Return what is known of a slot."""
        return self._states[slot.id]

    def open_slots(self) -> list[Slot]:
        """Return the slots that are neither filled nor given up, in their order."""
        closed = self.filled | self.given_up
        return [slot for slot in self.slots if slot.id not in closed]

    def counts(self) -> Counts:
        """Return the counts: asked = accepted + given up + open."""
        return Counts(
            asked=len(self.slots),
            accepted=len(self.filled),
            rejected=dict(sorted(self.rejected.items())),
            failed={EXHAUSTED: len(self.given_up)} if self.given_up else {},
            teacher_calls=self.calls,
        )

    @property
    def duplicate_ratio(self) -> float | None:
        """The share of judged replies that repeat an accepted one; None before the first."""
        judged = len(self.filled) + sum(self.rejected.values())
        repeated = sum(self.rejected.get(reason.value, 0) for reason in REPEATED)
        return repeated / judged if judged else None

    def progress(self, stage: str = "generate") -> Progress:
        """Return the progress of the job, with what became of each style's rows."""
        progress = progress_of(self.counts(), stage)
        return progress.model_copy(update={"figures": progress.figures | self.style_figures()})

    def style_figures(self) -> dict[str, float]:
        """Return `accepted/<style>`, `rejected/<style>` and `given_up/<style>`."""
        return {
            f"{what}/{style}": float(count)
            for style, counts in sorted(self.styles.items())
            for what, count in counts.items()
        }

    def _of(self, slot_id: str) -> Counter[str]:
        """Return the counts of the style that a slot asks for."""
        return self.styles[slot_id.split("/", 1)[0]]


def progress_of(counts: Counts, stage: str = "generate") -> Progress:
    """Return counts as the progress of a job."""
    figures = {f"rejected_{reason}": float(n) for reason, n in sorted(counts.rejected.items())}
    figures |= {"teacher_calls": float(counts.teacher_calls)}
    figures |= {"given_up": float(sum(counts.failed.values()))}
    if counts.superseded:
        figures["superseded"] = float(counts.superseded)
    return Progress(stage=stage, done=counts.accepted, total=counts.asked, figures=figures)


def rejected_row(
    slot: Slot, attempt: int, question: str, reply: str, reason: RejectReason, detail: str
) -> Rejected:
    """Return the journal's row for a refused attempt."""
    return Rejected(
        slot=slot.id,
        style=slot.style.style.id,
        attempt=attempt,
        question=encodable(question),
        reply=encodable(reply[:2000]),
        reason=reason,
        detail=detail,
    )


def encodable(text: str) -> str:
    """Return `text` with a question mark for each half of a surrogate pair, which no file holds."""
    return text.encode("utf-8", "replace").decode()
