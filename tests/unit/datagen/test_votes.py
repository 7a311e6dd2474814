"""Tests of the votes' table."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.votes import Vote
from datagen.votes import VoteStore, vote_key


def vote(**given: Any) -> Vote:
    """Return a vote that says what is given, the rest as usual."""
    usual = {"question": "Tired?", "reply": "Go to bed.", "style": "gentle", "model": "m.v1"}
    return Vote.model_validate(usual | {"value": 1, "user": "u1"} | given)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[VoteStore]:
    """An empty table."""
    store = VoteStore(tmp_path / "state")
    yield store
    store.close()


def test_vote_said_again_replaces_the_earlier_one(store: VoteStore) -> None:
    """The same person, reply, style and model: one vote, the newest."""
    first = store.add(vote())
    second = store.add(vote(value=-1, correction="Sleep well."))
    assert first.id == second.id
    assert [one.vote.value for one in store.page(None, 0, 10)] == [-1]
    assert store.counts().by_style == {"gentle": {"down": 1}}
    assert store.counts().corrections == 1


@pytest.mark.parametrize(
    "other",
    [{"user": "u2"}, {"reply": "Rest."}, {"model": "m.v2"}, {"style": "shy"}, {"question": "Why?"},
     {"history": [{"user": "a", "assistant": "b"}]}],
)  # fmt: skip
def test_another_vote_stands_beside_it(store: VoteStore, other: dict[str, Any]) -> None:
    """Whatever differs makes it another one."""
    store.add(vote())
    store.add(vote(**other))
    assert store.counts().votes == 2


def test_votes_are_there_after_a_restart(store: VoteStore) -> None:
    """What was acknowledged is on the disk."""
    kept = store.add(vote())
    again = VoteStore(store.folder)
    assert again.page("gentle", 0, 10) == [kept]
    assert again.page("shy", 0, 10) == []
    again.close()


def test_forgotten_user_leaves_no_word(store: VoteStore) -> None:
    """The text is gone from the files, not only from the answers."""
    store.add(vote(reply="a very private remark", user="u9"))
    store.add(vote())
    assert store.forget("u9") == 1
    assert store.forget("u9") == 0
    assert store.counts().votes == 1
    store.close()
    left = b"".join(path.read_bytes() for path in store.folder.iterdir())
    assert b"private remark" not in left


def test_newest_votes_come_first_page_by_page(store: VoteStore) -> None:
    """Offset and limit choose the page."""
    for number in range(5):
        store.add(vote(reply=f"Reply {number}."))
    pages = [[one.vote.reply for one in store.page(None, offset, 2)] for offset in (0, 2, 4)]
    assert pages == [["Reply 4.", "Reply 3."], ["Reply 2.", "Reply 1."], ["Reply 0."]]


@pytest.mark.parametrize(
    ("given", "field"),
    [({"value": 2}, "value"), ({"user": "a b"}, "user"), ({"user": "me@example.org"}, "user"),
     ({"reply": " "}, "reply"), ({"style": "../x"}, "style"), ({"colour": 1}, "colour"),
     ({"question": "x" * 8001}, "question"),
     ({"history": [{"user": "\ud800", "assistant": "b"}]}, "history")],
)  # fmt: skip
def test_malformed_vote_is_refused(given: dict[str, Any], field: str) -> None:
    """The field is named."""
    with pytest.raises(ValidationError) as caught:
        vote(**given)
    assert field in {str(error["loc"][0]) for error in caught.value.errors()}


def test_forgotten_words_are_gone_from_every_file(store: VoteStore) -> None:
    """Not only from the table: SQLite's log of changes holds what was written before."""
    store.add(vote(user="u1", correction="Nobody may read this."))
    store.add(vote(user="u2"))
    assert store.forget("u1") == 1
    files = [path.read_bytes() for path in store.folder.iterdir()]
    assert not any(b"Nobody may read this" in content for content in files)


def compared(value: int, **given: Any) -> Vote:
    """Return a vote between two replies, tuned and prompted."""
    rival = {"reply": "Sleep well.", "model": "base", "contestant": "prompted"}
    return vote(value=value, contestant="tuned", against=rival, **given)


def test_comparison_is_one_vote_by_both_replies_and_whose_they_are(store: VoteStore) -> None:
    """Said again it replaces; the same words of another contestant are another comparison."""
    store.add(vote())
    store.add(compared(1))
    store.add(compared(-1))
    assert store.counts().votes == 2
    store.add(compared(0, reply="Go to bed!"))
    store.add(compared(0, both_bad=True, user="u2"))
    counts = store.counts()
    assert counts.by_style == {"gentle": {"up": 1}}
    assert counts.compared == {"gentle": {"decided": 1, "tie": 1, "both_bad": 1}}
    assert store.page(None, 0, 10)[0].vote.against is not None


@pytest.mark.parametrize(
    "given",
    [
        {"against": {"reply": "Go to bed.", "model": "base"}},
        {"both_bad": True},
        {"both_bad": True, "against": {"reply": "Rest.", "model": "base"}},
        {"against": {"reply": "", "model": "base"}},
    ],
)
def test_comparison_that_makes_no_sense_is_refused(given: dict[str, Any]) -> None:
    """With itself, or with a winner that is bad."""
    with pytest.raises(ValidationError):
        vote(**given)


def test_vote_of_before_there_were_comparisons_is_known_by_the_same_key() -> None:
    """What lies in the table is replaced, not doubled."""
    assert vote_key(vote()) == "44bbde3b282de2eae2420238d668d0c56761e79ec48ed3a546b44494683ead1f"
