"""Votes of the arena: kept, counted once, and on their way to datagen."""

from pathlib import Path

import pytest

from fakes.library import shipped_styles
from fakes.page_stack_prove import replies
from ui.kept.arena_votes import ArenaVotes
from ui.kept.keeping import keeping
from ui.proof.arena import Seated, duels

EVALUATION = "eval-1"


@pytest.fixture
def votes(tmp_path: Path) -> ArenaVotes:
    """The arena of a page on which nobody has voted."""
    kept = keeping(tmp_path / "ui")
    return ArenaVotes(kept.state, kept.ballots)


def seated(number: int = 0) -> Seated:
    """Return a pair as it is shown."""
    duel = duels(EVALUATION, replies(shipped_styles()))[number]
    return Seated(duel, duel.rivals[0])


def test_vote_is_kept_and_waits_to_be_sent(votes: ArenaVotes) -> None:
    """It outlives a restart; datagen learns an opaque id."""
    assert votes.cast("ann", seated(), "left")
    votes.state.close()
    (past,) = votes.past("ann", EVALUATION)
    assert past.outcome == past.left == seated().duel.rivals[0]
    (ballot,) = votes.ballots.waiting()
    assert ballot.vote.against is not None
    assert (ballot.vote.value, ballot.vote.user) == (1, votes.ballots.opaque("ann"))
    assert votes.on_their_way("ann") == 1
    votes.ballots.sent(ballot)
    assert votes.on_their_way("ann") == 0
    votes.state.close()


def test_second_vote_on_a_pair_changes_nothing(votes: ArenaVotes) -> None:
    """A double click, or another window: the names were told by the first one."""
    assert votes.cast("ann", seated(), "left")
    assert not votes.cast("ann", seated(), "right")
    assert [ballot.vote.value for ballot in votes.ballots.waiting()] == [1]
    assert votes.cast("bob", seated(), "right")
    assert len(votes.everybody(EVALUATION)) == 2
    assert len(votes.past("bob", EVALUATION)) == 1
    votes.state.close()


def test_what_a_person_voted_is_forgotten_on_request(votes: ArenaVotes) -> None:
    """Only theirs."""
    votes.cast("ann", seated(), "tie")
    votes.cast("bob", seated(), "bad")
    votes.forget("ann")
    assert not votes.past("ann", EVALUATION)
    assert len(votes.past("bob", EVALUATION)) == 1
    votes.state.close()


def test_looking_makes_no_file(votes: ArenaVotes) -> None:
    """A page on which nobody voted leaves the disk alone."""
    assert not votes.past("ann", EVALUATION)
    assert not votes.everybody(EVALUATION)
    assert votes.on_their_way("ann") == 0
    assert not votes.state.folder.exists()
