"""The blind arena: which two replies come next, and in which seats (pure).

Who made which reply is known here and nowhere on the page before the vote: a seat is `left` or
`right`, drawn by lot, evenly for each two contestants.
"""

import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from contracts.evaluation import Reply
from contracts.votes import Rival, Vote
from ui.proof.sides import exchanges

Outcome = Literal["left", "right", "tie", "bad"]
OUTCOMES: tuple[Outcome, ...] = ("left", "right", "tie", "bad")
# What a vote can carry.
LONGEST = 8000


@dataclass(frozen=True)
class Duel:
    """Two replies to one question; `first` comes before `second` in the alphabet of names."""

    evaluation: str
    first: Reply
    second: Reply

    @property
    def key(self) -> str:
        """What it is known by; it says nothing to who reads it."""
        parts = [self.evaluation, self.first.style, self.first.number, *self.rivals]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]

    @property
    def rivals(self) -> tuple[str, str]:
        """The two contestants."""
        return self.first.contestant, self.second.contestant


@dataclass(frozen=True)
class Seated:
    """A duel as it is shown; `left` is the contestant of that seat."""

    duel: Duel
    left: str

    @property
    def replies(self) -> tuple[Reply, Reply]:
        """The left reply and the right one."""
        first, second = self.duel.first, self.duel.second
        return (first, second) if first.contestant == self.left else (second, first)

    def winner(self, outcome: Outcome) -> str:
        """Return the contestant that won; empty for neither."""
        left, right = self.replies
        return {"left": left.contestant, "right": right.contestant}.get(outcome, "")


@dataclass(frozen=True)
class Past:
    """A vote that was cast; `outcome` is a contestant, `tie` or `bad`."""

    pair: str
    style: str
    first: str
    second: str
    outcome: str
    left: str


def duels(evaluation: str, replies: Sequence[Reply]) -> list[Duel]:
    """Return every two replies that can be told apart; an empty or endless one is no rival."""
    found = []
    for exchange in exchanges(replies):
        known = sorted(exchange.replies.values(), key=lambda reply: reply.contestant)
        for first, second in combinations([one for one in known if is_fit(one)], 2):
            if first.reply.strip() != second.reply.strip():
                found.append(Duel(evaluation, first, second))
    return found


def is_fit(reply: Reply) -> bool:
    """Return whether a vote can carry a reply and its question."""
    texts = (reply.reply.strip(), reply.question.strip())
    return all(0 < len(text) <= LONGEST for text in texts)


def next_duel(every: Sequence[Duel], past: Iterable[Past], chance: random.Random) -> Seated | None:
    """Return the next duel for who has voted on `past`; None where all were seen.

    The two contestants that met least come first, among theirs the style that was seen least, then
    the lot decides; whoever sat left less often sits left.
    """
    cast = list(past)
    seen = {one.pair for one in cast}
    left = [one for one in every if one.key not in seen]
    if not left:
        return None
    met = Counter((one.first, one.second) for one in cast)
    styles = Counter((one.first, one.second, one.style) for one in cast)

    def turn(one: Duel) -> tuple[int, int, float]:
        return met[one.rivals], styles[(*one.rivals, one.first.style)], chance.random()

    duel = min(left, key=turn)
    return Seated(duel, seat(duel, cast, chance))


def seat(duel: Duel, cast: Sequence[Past], chance: random.Random) -> str:
    """Return who sits left: whoever of the two did so less often, by lot where both did alike."""
    sat = Counter(one.left for one in cast if (one.first, one.second) == duel.rivals)
    first, second = duel.rivals
    if sat[first] == sat[second]:
        return chance.choice(duel.rivals)
    return first if sat[first] < sat[second] else second


def vote_of(seated: Seated, outcome: Outcome, user: str) -> Vote:
    """Return the vote for datagen; its sides are the same whatever the seats were."""
    first, second = seated.duel.first, seated.duel.second
    winner = seated.winner(outcome)
    value: Literal[-1, 0, 1] = 0 if not winner else 1 if winner == first.contestant else -1
    return Vote(
        question=first.question,
        reply=first.reply,
        style=first.style,
        model=first.model,
        contestant=first.contestant,
        against=Rival(reply=second.reply, model=second.model, contestant=second.contestant),
        value=value,
        both_bad=outcome == "bad",
        user=user,
    )


def past_of(seated: Seated, outcome: Outcome) -> Past:
    """Return what is kept of a vote."""
    duel = seated.duel
    ended = seated.winner(outcome) or outcome
    return Past(duel.key, duel.first.style, *duel.rivals, ended, seated.left)
