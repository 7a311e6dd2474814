"""Each person's conversations."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.sample import Message
from ui.errors import StoreError
from ui.kept.branches import Said
from ui.kept.conversations import Conversations, Limits, Setup
from ui.kept.state import State

ASKED, MODEL = ("", ""), ("tonesmith.v1", "gentle")
PEOPLE = ("ann", "bob")
Action = tuple[str, str, int]


@pytest.fixture
def store(tmp_path: Path) -> Conversations:
    """An empty store."""
    return Conversations(State(tmp_path))


def ask(store: Conversations, name: str, parent: int | None, text: str, user: str = "ann") -> Said:
    """Keep a question."""
    return store.append(user, name, parent, Message(role="user", content=text), ASKED)


def answer(store: Conversations, name: str, parent: int, text: str, user: str = "ann") -> Said:
    """Keep a reply."""
    return store.append(user, name, parent, Message(role="assistant", content=text), MODEL)


def texts(branch: list[Said]) -> list[str]:
    """Return what is said in a branch."""
    return [said.content for said in branch]


def test_conversation_survives_a_restart(tmp_path: Path) -> None:
    """With its title, its settings and every message."""
    store = Conversations(State(tmp_path))
    setup = Setup(style="gentle", models=["base"], system="Be kind.", temperature=0.4, seed=7)
    made = store.create("ann", setup, "  A  long\nday ")
    question = ask(store, made.id, None, "我累了")
    answer(store, made.id, question.id, "歇一会儿吧")
    store.state.close()
    again = Conversations(State(tmp_path))
    (found,) = again.listed("ann")
    assert (found.title, found.setup) == ("A long day", setup)
    assert texts(again.branch("ann", made.id)) == ["我累了", "歇一会儿吧"]
    again.state.close()


def test_edited_question_makes_a_branch_and_nothing_is_lost(store: Conversations) -> None:
    """Either branch can be shown, whole, with the newest answer at its end."""
    name = store.create("ann", Setup()).id
    first = ask(store, name, None, "one")
    reply = answer(store, name, first.id, "1")
    ask(store, name, reply.id, "more")
    edited = ask(store, name, None, "two")
    answer(store, name, edited.id, "2")
    answer(store, name, edited.id, "2, again")
    assert texts(store.branch("ann", name)) == ["two", "2, again"]
    assert texts(store.switch("ann", name, first.id)) == ["one", "1", "more"]
    assert texts(store.branch("ann", name)) == ["one", "1", "more"]
    tree = store.tree("ann", name)
    assert texts(tree) == ["one", "1", "more", "two", "2", "2, again"]


def test_list_is_searched_by_title_and_words_and_newest_first(store: Conversations) -> None:
    """A wildcard of the database is a letter like others."""
    names = [store.create("ann", Setup(), title).id for title in ("work", "home", "100% done")]
    question = ask(store, names[0], None, "my boss shouts")
    answer(store, names[0], question.id, "那很难受")
    assert [found.title for found in store.listed("ann")] == ["work", "100% done", "home"]
    for search, titles in [
        ("boss", ["work"]),
        ("难受 WORK", ["work"]),
        ("boss home", []),
        ("%", ["100% done"]),
        ("_", []),
        ("\\", []),
    ]:
        assert [found.title for found in store.listed("ann", search)] == titles, search
    assert len(store.listed("ann", offset=1, limit=1)) == 1


def test_conversation_is_renamed_and_deleted(store: Conversations) -> None:
    """What is deleted takes its messages along."""
    name = store.create("ann", Setup()).id
    ask(store, name, None, "hello")
    store.rename("ann", name, "x" * 200)
    assert len(store.get("ann", name).title) == 80
    store.delete("ann", name)
    assert not store.state.read("SELECT * FROM messages")
    with pytest.raises(StoreError, match="unknown"):
        store.get("ann", name)


def test_deleted_words_are_gone_from_the_file(tmp_path: Path) -> None:
    """Not only from the lists."""
    store = Conversations(State(tmp_path))
    name = store.create("ann", Setup()).id
    ask(store, name, None, "a secret nobody may read" * 20)
    store.delete("ann", name)
    store.state.close()
    assert all(b"a secret nobody" not in path.read_bytes() for path in tmp_path.iterdir())


def test_question_and_answer_take_turns(store: Conversations) -> None:
    """A second question after a question would be no conversation that a model knows."""
    name = store.create("ann", Setup()).id
    question = ask(store, name, None, "one")
    with pytest.raises(ValueError, match="does not follow"):
        ask(store, name, question.id, "two")
    with pytest.raises(ValueError, match="does not follow"):
        store.append("ann", name, None, Message(role="assistant", content="x"), MODEL)


def test_each_person_keeps_a_bounded_amount(tmp_path: Path) -> None:
    """What does not fit is refused with the limit, and others are not touched."""
    limits = Limits(conversations=2, messages=3, bytes=2000)
    store = Conversations(State(tmp_path), limits)
    name = store.create("ann", Setup()).id
    store.create("ann", Setup())
    with pytest.raises(StoreError, match="full"):
        store.create("ann", Setup())
    with pytest.raises(StoreError, match="full"):
        ask(store, name, None, "x" * 1900)
    for _ in range(3):
        ask(store, name, None, "x")
    with pytest.raises(StoreError, match="long"):
        ask(store, name, None, "x")
    with pytest.raises(StoreError, match="too_long"):
        ask(store, name, None, "x" * 32_001)
    assert store.create("bob", Setup()).id
    store.state.close()


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(PEOPLE),
        st.sampled_from(["create", "ask", "rename", "switch", "delete", "delete_all", "search"]),
        st.integers(0, 5),
    ),
    max_size=25,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(actions=ACTIONS)
def test_nobody_ever_sees_or_changes_what_is_anothers(
    tmp_path: Path, actions: list[tuple[str, str, int]]
) -> None:
    """Whatever two people do to any conversation whose name they know, in any order."""
    store = Conversations(State(tmp_path))
    store.state.read("SELECT 1")
    for person in PEOPLE:
        store.delete_all(person)
    made: list[tuple[str, str]] = []
    for person, action, place in actions:
        before = snapshot(store, other(person))
        living = [
            each for each in made if any(each[1] == found.id for found in store.listed(each[0]))
        ]
        owner, name = living[place % len(living)] if living else ("nobody", "c-none")
        done = act(store, person, action, name) if allowed(person, action, owner) else None
        if not allowed(person, action, owner):
            with pytest.raises(StoreError, match="unknown"):
                act(store, person, action, name)
        if action == "create":
            made.append((person, str(done)))
        assert snapshot(store, other(person)) == before
    for person in PEOPLE:
        assert {found.id for found in store.listed(person)} <= {
            name for owner, name in made if owner == person
        }
    store.state.close()


def allowed(person: str, action: str, owner: str) -> bool:
    """Return whether a person may do something to what is an owner's."""
    return action in ("create", "delete_all", "search") or owner == person


def other(person: str) -> str:
    """Return the other one of the two."""
    return PEOPLE[1 - PEOPLE.index(person)]


def act(store: Conversations, person: str, action: str, name: str) -> object:
    """Do something as a person to a conversation; what they write has their name in it."""
    if action == "create":
        return store.create(person, Setup(), f"of {person}").id
    if action == "search":
        return [] if all(person in each.title for each in store.listed(person, "of")) else 1 / 0
    if action == "delete_all":
        return store.delete_all(person)
    if action == "ask":
        return ask(store, name, None, f"of {person}", person)
    if action == "rename":
        return store.rename(person, name, f"of {person}, again")
    if action == "switch":
        message = ask(store, name, None, f"of {person}", person)
        return store.switch(person, name, message.id)
    return store.delete(person, name)


def snapshot(store: Conversations, person: str) -> list[object]:
    """Return all that a person has."""
    return [(found, store.tree(person, found.id)) for found in store.listed(person)]
