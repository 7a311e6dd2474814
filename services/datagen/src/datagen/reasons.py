"""From the figures to the verdict, by reasons: a verdict other than `took` names at least one."""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.evaluation import ClassifierScore, ContestantScore, Difference
from contracts.proof import Drift, Figure, ForgettingProbe, PairDifference, Reason, Verdict
from datagen.contestants import BASE, PROMPTED, TUNED
from datagen.proof_figures import is_better

# Below this the judge itself mixes the styles up, and no figure of the models means much.
TRUSTED_JUDGE = 0.7
# A style "took" where four replies in five are recognised; less, but surely more than base: partly.
TOOK = 0.8
# So much of the advice, or of the sound replies, may get lost to a tone; surely more is a fault.
LOSS = 0.1
BLOCKING = frozenset({Reason.BELOW_BASE, Reason.NO_BETTER_THAN_BASE, Reason.WRONG_STYLE})


@dataclass(frozen=True)
class Evidence:
    """What a verdict rests on.

    Attributes:
        classifier: how far the judge of tones can be trusted.
        tuned: the tuned model's score.
        difference: tuned minus base accuracy.
        floor: accuracy of a model that speaks in a random style of the right language.
        astray: share of tuned replies in another style (neither the asked one nor plain).
        sound: the tuned model's share of replies without a defect.
        pairs: differences in style strength; without any, accuracy alone decides.
        sound_gain, topic_gain: tuned minus base; None where there is nothing to compare.
        drift: the tuned model's, over the turns of conversations.
        probe: what was forgotten.
    """

    classifier: ClassifierScore
    tuned: ContestantScore
    difference: Difference
    floor: float
    astray: float = 0.0
    sound: Figure | None = None
    pairs: Sequence[PairDifference] = ()
    sound_gain: Figure | None = None
    topic_gain: Figure | None = None
    drift: Drift | None = None
    probe: ForgettingProbe | None = None

    @property
    def near_chance(self) -> bool:
        """Whether speaking in just any style could have got the accuracy."""
        interval = self.tuned.accuracy_interval
        return interval is None or interval.low <= self.floor

    @property
    def mostly_broken(self) -> bool:
        """Whether surely fewer than half of the tuned replies are without a defect."""
        return self.sound is not None and self.sound.interval.high < 0.5


def reasons_of(found: Evidence) -> list[Reason]:
    """Return why the style did not take, or took in part only: the gravest first; else nothing."""
    if found.classifier.heldout_rows and found.classifier.accuracy < TRUSTED_JUDGE:
        return [Reason.UNTRUSTED_JUDGE]
    asked = {name for pair in found.pairs for name in (pair.first, pair.second)}
    rivals = {name: not is_better(TUNED, name, found.pairs) for name in asked}
    below = is_better(BASE, TUNED, found.pairs)
    ungained = found.difference.interval.low <= 0 or rivals.get(BASE, False)
    weak = found.tuned.accuracy < TOOK or found.near_chance
    wrong = found.near_chance and found.astray >= 0.5
    held = {
        Reason.BELOW_BASE: below,
        Reason.NO_BETTER_THAN_BASE: ungained and not below,
        Reason.WRONG_STYLE: wrong,
        Reason.BROKEN_REPLIES: found.mostly_broken or lost(found.sound_gain),
        Reason.WEAK_STYLE: weak and not wrong,
        Reason.NO_BETTER_THAN_PROMPT: rivals.get(PROMPTED, False),
        Reason.OFF_TOPIC: lost(found.topic_gain),
        Reason.FADES: found.drift is not None and found.drift.verdict == "fades",
        Reason.FORGOT: found.probe is not None and found.probe.verdict == "forgot",
    }
    return [reason for reason, holds in held.items() if holds]


def verdict_of(found: Evidence, reasons: Sequence[Reason]) -> Verdict:
    """Return the verdict that `reasons` make: none of them, and the style took.

    Speaking in just any style is a gain over plain speech, but no proof; nor is a tone in replies
    that are mostly broken.
    """
    if Reason.UNTRUSTED_JUDGE in reasons:
        return "unclear"
    if BLOCKING.intersection(reasons) or found.near_chance or found.mostly_broken:
        return "not"
    return "partly" if reasons else "took"


def lost(gain: Figure | None) -> bool:
    """Return whether surely more than LOSS was lost."""
    return gain is not None and gain.interval.high < -LOSS
