"""Conversations turn by turn, each contestant with its own replies before: does the style hold?

Drift is the change of style strength from one turn to the next: the slope of a straight line
through the turns of each conversation, averaged, with a bootstrap over conversations.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from contracts.evaluation import Reply
from contracts.proof import Drift, Figure
from contracts.sample import Message, Turn
from datagen.bootstrap import mean_figure
from datagen.evaluate import Asked
from datagen.heldout import HeldOut
from datagen.question_plan import TurnKey

# Five points of strength a turn: what is surely less is no drift that anybody hears, what is surely
# more is one. A bootstrap of fewer conversations than FEWEST is surer than it should be.
STEADY = 0.05
FEWEST = 8
Verdict = Literal["steady", "fades", "grows", "cannot_tell"]


def next_turns(
    asked: Iterable[Asked],
    replies: Iterable[Reply],
    questions: Mapping[TurnKey, HeldOut],
    prefixes: Mapping[str, str],
) -> list[Asked]:
    """Return the next turn of each conversation that has a question for it.

    Args:
        asked: the turn before.
        replies: the answers to it, in the same order.
        questions: by style, conversation and turn.
        prefixes: what the dataset teaches to put before a reply, by style.
    """
    following = []
    for one, reply in zip(asked, replies, strict=True):
        style, number = one.heldout.style, one.heldout.number
        if question := questions.get((style, number, one.turn + 1)):
            prefix = "" if one.prompt else prefixes.get(style, "")
            following.append(next_turn(one, reply, question, prefix))
    return following


def next_turn(before: Asked, reply: Reply, question: HeldOut, prefix: str) -> Asked:
    """Return the turn after `reply`, which stands in the history as the model said it."""
    said = Message(role="assistant", content=prefix + reply.reply)
    asking = Message(role="user", content=question.question)
    messages = (*before.heldout.messages, said, asking)
    return replace(
        before,
        heldout=replace(question, number=before.heldout.number, messages=messages),
        turn=before.turn + 1,
        history=(*before.history, Turn(user=before.heldout.question, assistant=reply.reply)),
    )


def drifts(replies: Sequence[Reply], seed: int) -> list[Drift]:
    """Return each contestant's drift over the conversations of two turns or more."""
    held: dict[str, dict[tuple[str, int], dict[int, float]]] = {}
    for reply in replies:
        conversations = held.setdefault(reply.contestant, defaultdict(dict))
        conversations[reply.style, reply.number][reply.turn] = reply.strength
    found = []
    for contestant, conversations in held.items():
        lines = [by_turn for by_turn in conversations.values() if len(by_turn) > 1]
        if lines:
            found.append(drift(contestant, lines, seed))
    return found


def drift(contestant: str, lines: Sequence[Mapping[int, float]], seed: int) -> Drift:
    """Return the drift over `lines`, the strength by turn of each conversation."""
    last = max(map(max, lines))
    turns = [
        mean_figure([by_turn[turn] for by_turn in lines if turn in by_turn], seed=seed)
        for turn in range(1, last + 1)
    ]
    change = mean_figure([slope(by_turn) for by_turn in lines], seed=seed, bounds=(-1.0, 1.0))
    return Drift(contestant=contestant, turns=turns, slope=change, verdict=verdict(change))


def slope(by_turn: Mapping[int, float]) -> float:
    """Return the slope of the straight line through a conversation's strengths."""
    return float(np.polyfit(list(by_turn), list(by_turn.values()), 1)[0])


def verdict(change: Figure) -> Verdict:
    """Return what the interval of a slope says."""
    if change.count < FEWEST:
        return "cannot_tell"
    low, high = change.interval.low, change.interval.high
    if high < -STEADY:
        return "fades"
    if low > STEADY:
        return "grows"
    return "steady" if low > -STEADY and high < STEADY else "cannot_tell"
