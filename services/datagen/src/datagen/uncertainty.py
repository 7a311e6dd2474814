"""How near a row is to being judged the other way: what a reviewer should look at first.

Each signal says how close one gate's figure is to its threshold, 1 at it and 0 a whole scale away;
a row is as uncertain as its closest signal. Gates that only say yes or no have none.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from contracts.sample import RejectReason, Sample
from contracts.style import Style
from datagen.duplicates import NEAR
from datagen.gates import ECHO_SHARE, LANGUAGE_SHARE, Limits, echo_share
from datagen.languages import language_share
from datagen.regating import limits_of, marker_share
from datagen.tonegrams import judge_tones

# A style's words come in three kinds: the threshold lies between none and one of them.
MARKER_THRESHOLD, MARKER_SCALE = 1 / 6, 1 / 2
# A reply half or twice as long as a limit is far from it.
LENGTH_SCALE = math.log(2)
SIMILARITY_SCALE = 0.4
LENGTH, ECHO, LANGUAGE, MARKERS, NEAREST, CLASSIFIER = (
    "length", "echo", "language", "off_style", "near_duplicate", "classifier",
)  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """A row as the signals need it; `teaches` where its reply is known to be in its style."""

    sample: Sample
    style: Style | None
    reason: RejectReason | None = None

    @property
    def teaches(self) -> bool:
        """Whether the gates accepted it."""
        return self.reason is None and self.style is not None


def closeness(value: float, threshold: float, scale: float) -> float:
    """Return 1 where `value` is at the threshold, 0 where it is `scale` or more away."""
    return max(0.0, 1.0 - abs(value - threshold) / scale)


def signals(row: Seen) -> dict[str, float]:
    """Return the closeness to the threshold of every gate that has one."""
    sample, style = row.sample, row.style
    if style is None:
        return {}
    limits = limits_of(style, sample.teacher)
    right = language_share(sample.reply, style.language)
    found = {
        LENGTH: length_closeness(len(sample.reply.strip()), limits),
        LANGUAGE: closeness(right, LANGUAGE_SHARE, LANGUAGE_SHARE),
    }
    repeated = echo_share(sample.question, sample.reply)
    found[ECHO] = closeness(repeated, ECHO_SHARE, ECHO_SHARE)
    if limits.strict:
        kinds = marker_share(style, sample.reply)
        found[MARKERS] = closeness(kinds, MARKER_THRESHOLD, MARKER_SCALE)
    if (nearest := sample.scores.get("nearest")) is not None:
        found[NEAREST] = closeness(nearest, NEAR, SIMILARITY_SCALE)
    return found


def length_closeness(size: int, limits: Limits) -> float:
    """Return the closeness of a length to the nearer limit, on a scale of ratios."""
    place = math.log(max(size, 1))
    return max(
        closeness(place, math.log(limits.shortest), LENGTH_SCALE),
        closeness(place, math.log(limits.longest), LENGTH_SCALE),
    )


def uncertainties(
    rows: Sequence[Seen], styles: Mapping[str, Style]
) -> list[tuple[float, str, dict[str, float]]]:
    """Return (uncertainty, its cause, all signals) of each row."""
    margins = tone_closeness(rows, styles)
    found = []
    for row, margin in zip(rows, margins, strict=True):
        every = signals(row)
        if margin is not None:
            every[CLASSIFIER] = margin
        cause = max(every, key=lambda name: every[name], default="")
        value = every.get(cause, 0.0)
        found.append((round(value, 4), cause if value > 0 else "", every))
    return found


def tone_closeness(rows: Sequence[Seen], styles: Mapping[str, Style]) -> list[float | None]:
    """Return how undecided the classifier is about each row; None where a style has no rival.

    The scale is the dataset's own: half of the rows have a margin over the median, which is sure.
    """
    names = sorted(styles)
    places = {name: place for place, name in enumerate(names)}
    used = [n for n, row in enumerate(rows) if row.style and row.sample.style in places]
    if len(names) < 2 or not used:
        return [None] * len(rows)
    speaks = [styles[name].language for name in names]
    rivals = np.array([[one == other for other in speaks] for one in speaks])
    tones = judge_tones(
        [rows[n].sample.reply for n in used],
        [places[rows[n].sample.style] for n in used],
        rivals,
        [rows[n].teaches for n in used],
    )
    scale = float(np.median(np.abs(tones.margins))) or 1.0
    found: list[float | None] = [None] * len(rows)
    for n, margin in zip(used, tones.margins, strict=True):
        if speaks.count(speaks[places[rows[n].sample.style]]) > 1:
            # Accepted, and yet taken for another style: judge and gates disagree, however sure.
            doubted = max(float(margin), 0.0) if rows[n].teaches else float(margin)
            found[n] = closeness(doubted, 0.0, scale)
    return found
