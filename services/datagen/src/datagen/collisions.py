"""Where two style cards collide: the words they share, and what would part them.

Pure, and without a teacher: the confusion of real replies comes from `studio.py`.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations

from contracts.studio import Collision
from contracts.style import Style
from datagen.text import letters

# Two cards of one tone are judged no better than by a coin: half of their replies are swapped.
COIN = 0.5
# A judge that swaps one reply in six has trouble with the pair; shared words alone from a third.
MIXED_UP, LIKE = 1 / 6, 1 / 3
KINDS = ("openers", "closers", "particles", "emoji", "traits")
# Of the likeness: openers and closers are in every reply, a trait only guides the teacher.
WEIGHTS = {"openers": 3.0, "closers": 3.0, "particles": 2.0, "emoji": 1.0, "traits": 1.0}
ADVICE = {
    "openers": "both open with {words}: give one of them other openers",
    "closers": "both close with {words}: give one of them other closers",
    "particles": "both end clauses with {words}: keep them in one style only",
    "emoji": "both use {words}: keep them in one style only",
    "traits": "both are said to be {words}: name what the other is not",
}
Shares = Mapping[str, Mapping[str, int]]


def phrases(style: Style, kind: str) -> dict[str, str]:
    """Return the phrases of one kind by what they are compared by: letters, else themselves."""
    found = style.traits if kind == "traits" else getattr(style.lexicon, kind)
    return {letters(phrase) or phrase: phrase for phrase in found}


def shared_words(one: Style, other: Style) -> dict[str, list[str]]:
    """Return the phrases of each kind that two cards share, in the order of the first."""
    found = {}
    for kind in KINDS:
        theirs = phrases(other, kind)
        common = [phrase for key, phrase in phrases(one, kind).items() if key in theirs]
        if common:
            found[kind] = common
    return found


def likeness(one: Style, other: Style) -> float:
    """Return how much of their words two cards share, 0 to 1: a weighted mean of overlaps."""
    total = weight = 0.0
    for kind in KINDS:
        ours, theirs = phrases(one, kind), phrases(other, kind)
        if not ours and not theirs:
            continue
        weight += WEIGHTS[kind]
        total += WEIGHTS[kind] * len(ours.keys() & theirs.keys()) / len(ours.keys() | theirs.keys())
    return total / weight if weight else 0.0


def says_the_same(one: Style, other: Style) -> bool:
    """Return whether two cards differ in their ids and names only."""
    names = {"id", "names", "description"}
    return one.model_dump(exclude=names) == other.model_dump(exclude=names)


def mixed_up(matrix: Shares, one: str, other: str) -> float:
    """Return the share of the two styles' replies that were taken for the other one."""
    swapped = matrix.get(one, {}).get(other, 0) + matrix.get(other, {}).get(one, 0)
    total = sum(matrix.get(one, {}).values()) + sum(matrix.get(other, {}).values())
    return swapped / total if total else 0.0


def collisions(styles: Sequence[Style], matrix: Shares) -> list[Collision]:
    """Return the pairs of one language that collide, worst first.

    Args:
        styles: the cards.
        matrix: asked style -> recognised style -> replies; empty where nothing was asked.
    """
    found = []
    for one, other in combinations(styles, 2):
        if one.language != other.language:
            continue
        swapped, like = mixed_up(matrix, one.id, other.id), likeness(one, other)
        same = says_the_same(one, other)
        if same or swapped >= MIXED_UP or like >= LIKE:
            shared = shared_words(one, other)
            found.append(
                Collision(
                    styles=(one.id, other.id),
                    mixed_up=round(swapped, 3),
                    likeness=round(like, 3),
                    indistinguishable=same or like == 1 or swapped >= COIN,
                    shared=shared,
                    suggestions=suggestions(one, other, shared, same=same),
                )
            )
    return sorted(found, key=lambda pair: (pair.mixed_up, pair.likeness), reverse=True)


def suggestions(
    one: Style, other: Style, shared: Mapping[str, Sequence[str]], *, same: bool
) -> list[str]:
    """Return what would part two styles, the strongest first; at least one sentence."""
    if same:
        return [f"{one.id} and {other.id} are one card under two names: remove or rewrite one"]
    found = [
        ADVICE[kind].format(words=", ".join(repr(word) for word in shared[kind][:5]))
        for kind in KINDS
        if kind in shared
    ]
    if abs(one.intensity - other.intensity) < 0.1 and not found:
        found.append(
            "they share no listed words: their replies are alike in what is not on the cards; "
            "add openers and closers of their own, and examples that show the difference"
        )
    if not one.examples or not other.examples:
        missing = " and ".join(card.id for card in (one, other) if not card.examples)
        found.append(f"{missing}: add examples, which show a teacher more than traits do")
    return found or ["add particles or closers that only one of them uses"]
