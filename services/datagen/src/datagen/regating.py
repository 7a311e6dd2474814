"""The gates once more: on a reply that a person edited, on a preview, on a row asked for again.

Duplicates are not looked for here: a person may mean to say a thing twice, and a version that is
published looks at its rows as they are.
"""

from collections.abc import Mapping

from contracts.sample import RejectReason, Sample, Turn
from contracts.studio import GateVerdict
from contracts.style import Language, Style
from datagen.gates import (
    GATES,
    GENERATED,
    IMPORTED,
    Candidate,
    Limits,
    Refusal,
    first_refusal,
    markers,
)
from datagen.personal_data import mask
from datagen.routing import safe_answer
from kit.crisis import Screen

IMPORT = "import"
# What no note overrules.
FINAL = frozenset({RejectReason.CRISIS, RejectReason.CONTROL_TOKEN})
Screens = Mapping[Language, Screen]


def limits_of(style: Style, teacher: str) -> Limits:
    """Return how strictly a row is judged: as when it first came, generated or imported."""
    return IMPORTED if teacher == IMPORT else GENERATED[style.language]


def refusal_of(style: Style, sample: Sample, reply: str, screens: Screens) -> Refusal | None:
    """Return why a gate refuses `reply` in the place of that row's, or None.

    To a person in a crisis only the safe replies are said, whoever wrote another; nobody may
    overrule that (`FINAL`). Personal data is not masked behind the back of who typed it: it is
    refused.
    """
    said = [*(turn.user for turn in sample.history), sample.question]
    if safe_answer(screens, style.language, said):
        known = any(screen.is_safe_reply(reply) for screen in screens.values())
        detail = "a person in a crisis gets one of the safe replies"
        return None if known else Refusal(RejectReason.CRISIS, detail)
    for screen in screens.values():
        if words := screen.incites(reply):
            return Refusal(RejectReason.CRISIS, f"incitement: {words[:40]}")
    if kinds := mask(reply, style.language)[1]:
        return Refusal(RejectReason.PERSONAL_DATA, ", ".join(kinds))
    candidate = Candidate(style, sample.question, reply, tuple(sample.history))
    return first_refusal(candidate, limits_of(style, sample.teacher))


def verdicts(style: Style, question: str, reply: str, history: list[Turn]) -> list[GateVerdict]:
    """Return what every gate says of a generated reply, in the order in which they are asked."""
    candidate = Candidate(style, question, reply, tuple(history))
    found = []
    for gate in GATES:
        refusal = gate(candidate, GENERATED[style.language])
        found.append(
            GateVerdict(
                gate=gate.__name__,
                passed=refusal is None,
                reason=refusal.reason.value if refusal else None,
                detail=refusal.detail if refusal else "",
            )
        )
    return found


def marker_share(style: Style, reply: str) -> float:
    """Return the share of the style's kinds of words that occur in `reply`, 0 to 1."""
    found = markers(style.lexicon, reply)
    return sum(found.values()) / len(found)
