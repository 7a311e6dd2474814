"""What happens to a row before the gates: personal data is masked, a crisis gets a safe reply.

Pure: a generation, an import and a review call it with what they have.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from contracts.sample import RejectReason, Turn
from contracts.style import Language
from datagen.duplicates import DuplicateIndex, judged_text
from datagen.gates import Candidate, Limits, Refusal, duplicate, first_refusal
from datagen.personal_data import mask
from datagen.user_gates import asking_reply
from kit.crisis import Kind, Screen, crisis_of


@dataclass(frozen=True)
class Routed:
    """A row as it goes on.

    Attributes:
        candidate: without personal data, and with a safe reply where it needs one.
        masked: kinds of personal data that were replaced.
        safety: the kind of crisis that the safe reply is to; the gates of style do not apply then.
        refusal: set where the reply tells a person to harm themselves.
    """

    candidate: Candidate
    masked: list[str]
    safety: Kind | None = None
    refusal: Refusal | None = None


def route(candidate: Candidate, screens: Mapping[Language, Screen]) -> Routed:
    """Return the row without personal data, answered safely where a person tells of a crisis.

    Whoever writes the question first should ask `safe_answer` before a teacher is paid.
    """
    clean, kinds = masked(candidate)
    language = clean.style.language
    said = [*(turn.user for turn in clean.history), clean.question]
    if answer := safe_answer(screens, language, said):
        kind, reply = answer
        return Routed(replace(clean, reply=reply, cut=False), kinds, safety=kind)
    for screen in screens.values():
        if words := screen.incites(clean.reply):
            refusal = Refusal(RejectReason.CRISIS, f"incitement: {words[:40]}")
            return Routed(clean, kinds, refusal=refusal)
    return Routed(clean, kinds)


@dataclass(frozen=True)
class Judged:
    """A row after all gates: as it goes on, why it is refused, if it is, and its neighbour.

    Attributes:
        routed: the row without personal data, safely answered where it must be.
        refusal: the first gate's, or None.
        nearest: the highest similarity to an accepted row of its style, 0 to 1.
    """

    routed: Routed
    refusal: Refusal | None = None
    nearest: float = 0.0


def judge_row(
    candidate: Candidate,
    limits: Limits,
    index: DuplicateIndex,
    screens: Mapping[Language, Screen],
) -> Judged:
    """Return what all gates make of a row; `index` holds the accepted ones."""
    routed = route(candidate, screens)
    clean = routed.candidate
    if routed.safety:  # no style is asked of a safe reply, and it may come again
        limits = replace(limits, longest=max(limits.longest, len(clean.reply)), strict=False)
    if refusal := routed.refusal or first_refusal(clean, limits):
        return Judged(routed, refusal)
    if limits.strict and (refusal := asking_reply(clean.style, clean.reply)):
        return Judged(routed, refusal)
    if routed.safety:
        known = index.is_duplicate(clean.style.id, judged_text(clean.question, clean.reply))
        return Judged(routed, Refusal(RejectReason.DUPLICATE) if known else None)
    return Judged(routed, *duplicate(clean, index))


def safe_answer(
    screens: Mapping[Language, Screen], language: Language, said: Sequence[str]
) -> tuple[Kind, str] | None:
    """Return the kind of crisis that a person tells of and the safe reply to it, or None.

    Args:
        screens: by language.
        language: of the style; the reply is in it.
        said: what the person says, the latest last.
    """
    kind = crisis_of(screens, language, said)
    if kind is None or language not in screens:
        return None
    return kind, screens[language].reply(kind, said[-1])


def masked(candidate: Candidate) -> tuple[Candidate, list[str]]:
    """Return the row with words instead of personal data in every text, and the kinds of it."""
    language = candidate.style.language
    found: set[str] = set()

    def plain(text: str) -> str:
        cleaned, kinds = mask(text, language)
        found.update(kinds)
        return cleaned

    history = tuple(
        Turn(user=plain(turn.user), assistant=plain(turn.assistant)) for turn in candidate.history
    )
    question, reply = plain(candidate.question), plain(candidate.reply)
    clean = replace(candidate, question=question, reply=reply, history=history)
    return clean, sorted(found)
