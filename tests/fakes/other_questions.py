"""The blind arena's next pair, on a question that its reader has not voted on yet.

The lot may bring the same question again with another rival. Where two contestants said the same,
such votes can contradict each other, and datagen makes one pair of two: one draw of six in twelve.
"""

import random
from collections.abc import Iterable, Sequence

from ui.proof.arena import Duel, Past, Seated, next_duel


def next_question(
    every: Sequence[Duel], past: Iterable[Past], chance: random.Random
) -> Seated | None:
    """Return what `next_duel` returns of the questions that are left."""
    cast = list(past)
    voted = {one.pair for one in cast}
    asked = {question(one) for one in every if one.key in voted}
    return next_duel([one for one in every if question(one) not in asked], cast, chance)


def question(duel: Duel) -> tuple[str, int]:
    """Return which question a duel is about."""
    return duel.first.style, duel.first.number
