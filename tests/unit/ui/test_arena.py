"""Which pair comes next in the blind arena, and what a vote on it says."""

import random
from collections import Counter

import pytest

from contracts.evaluation import Reply
from contracts.votes import Vote
from fakes.library import shipped_styles
from fakes.page_stack_prove import replies
from ui.proof.arena import OUTCOMES, Past, Seated, duels, next_duel, past_of, vote_of

EVALUATION = "eval-tonesmith-1"


@pytest.fixture(scope="module")
def said() -> list[Reply]:
    """Three contestants, six styles, three questions each."""
    return replies(shipped_styles())


def voted(said: list[Reply], count: int, seed: int = 3) -> list[Past]:
    """Return the votes of somebody who always prefers the left seat."""
    chance, past = random.Random(seed), list[Past]()
    for _ in range(count):
        seated = next_duel(duels(EVALUATION, said), past, chance)
        if seated is None:
            break
        past.append(past_of(seated, "left"))
    return past


def test_two_replies_that_say_the_same_are_no_duel(said: list[Reply]) -> None:
    """Nor is one that is empty, or longer than a vote can carry."""
    every = duels(EVALUATION, said)
    assert every
    assert all(one.first.reply != one.second.reply for one in every)
    assert all(one.rivals[0] < one.rivals[1] for one in every)
    for text in ("", " ", "x" * 9000):
        spoiled = [one.model_copy(update={"reply": text}) for one in said]
        assert not duels(EVALUATION, spoiled)


def test_nobody_sees_a_pair_twice(said: list[Reply]) -> None:
    """After the last one there is none."""
    past = voted(said, 1000)
    assert len({one.pair for one in past}) == len(past) == len(duels(EVALUATION, said))
    assert next_duel(duels(EVALUATION, said), past, random.Random(1)) is None


def test_rivals_styles_and_seats_are_balanced(said: list[Reply]) -> None:
    """Who meets whom, in which style, and who sits left."""
    past = voted(said, 36)
    met = Counter((one.first, one.second) for one in past)
    assert len(met) == 3
    assert max(met.values()) - min(met.values()) <= 1
    for first, second in met:
        theirs = [one for one in past if (one.first, one.second) == (first, second)]
        styles = Counter(one.style for one in theirs)
        assert max(styles.values()) - min(styles.values()) <= 1
        left = Counter(one.left for one in theirs)
        assert abs(left[first] - left[second]) <= 1


def test_seats_are_drawn_by_lot(said: list[Reply]) -> None:
    """The first seat of a new voter says nothing."""
    left = {voted(said, 1, seed)[0].left for seed in range(30)}
    assert left == {"base", "prompted", "tuned"}


def test_vote_says_the_same_whatever_the_seats_were(said: list[Reply]) -> None:
    """The winner, the loser, and both contestants with their models."""
    duel = next(one for one in duels(EVALUATION, said) if one.rivals == ("prompted", "tuned"))
    votes = [
        vote_of(Seated(duel, "tuned"), "left", "u1"),
        vote_of(Seated(duel, "prompted"), "right", "u1"),
    ]
    assert votes[0] == votes[1]
    vote = votes[0]
    assert (vote.contestant, vote.value) == ("prompted", -1)
    assert vote.against is not None
    assert (vote.against.contestant, vote.against.model) == ("tuned", "served-tuned")
    assert vote.against.reply == duel.second.reply


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_outcome_is_a_vote_that_datagen_takes(said: list[Reply], outcome: str) -> None:
    """A tie and two bad ones are kept apart."""
    seated = Seated(duels(EVALUATION, said)[0], duels(EVALUATION, said)[0].rivals[1])
    vote = vote_of(seated, outcome, "u1")  # type: ignore[arg-type]
    assert Vote.model_validate_json(vote.model_dump_json()) == vote
    assert bool(vote.value) == (outcome in ("left", "right"))
    assert vote.both_bad == (outcome == "bad")
