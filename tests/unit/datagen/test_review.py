"""Tests of the review desk: filters, decisions, edits, undo, and who changed what first."""

import random
from typing import Any

import pytest

from contracts.review import (
    ReviewChange,
    ReviewEdit,
    ReviewFilter,
    ReviewQuery,
    ReviewReplacement,
    ReviewUndo,
)
from contracts.volume import Volume
from datagen.review import ReviewDesk
from datagen.review_store import ReviewStore
from fakes.reviewed import FIRST, numbers
from kit.errors import ConflictError, NotFoundError

ROWS = 43  # ten of each of four styles, and three that the gates refused


def decide(desk: ReviewDesk, action: str, note: str | None = None, **wanted: Any) -> int:
    """Decide about all rows that match, as they are now; return how many changed."""
    change = ReviewChange.model_validate(
        {"revision": desk.show(FIRST).revision, "action": action, "filter": wanted, "note": note}
    )
    return desk.change(FIRST, change).changed


def test_review_has_every_row_and_is_opened_once(desk: ReviewDesk) -> None:
    """Accepted rows first, then the refused ones; opening again changes nothing."""
    decide(desk, "reject", rows=[0])
    review = desk.open(FIRST)
    assert review.revision == 1
    assert review.counts.rows == ROWS
    assert review.counts.kept == 39
    assert review.counts.by_reason == {"malformed": 1, "off_style": 1, "too_short": 1}
    assert numbers(desk, order="number") == list(range(ROWS))


def test_queue_begins_with_what_is_most_uncertain(desk: ReviewDesk) -> None:
    """Each row names the gate whose threshold is nearest."""
    rows = desk.page(FIRST, ReviewQuery(limit=500)).rows
    values = [row.uncertainty for row in rows]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0.5
    assert all(0 <= value <= 1 for value in values)
    assert {row.cause for row in rows if row.uncertainty} <= {
        "length", "echo", "language", "off_style", "near_duplicate", "classifier",
    }  # fmt: skip


def test_filters_choose_rows(desk: ReviewDesk) -> None:
    """All conditions of a filter hold together."""
    rows = desk.page(FIRST, ReviewQuery(limit=500)).rows
    assert len(numbers(desk, style="gentle")) == 10
    assert len(numbers(desk, origin="rejected")) == 3
    assert len(numbers(desk, reason="too_short")) == 1
    assert numbers(desk, style="gentle", origin="rejected") == []
    lengths = [row.characters for row in rows if 30 <= row.characters <= 60]
    assert len(numbers(desk, shortest=30, longest=60)) == len(lengths)
    some = next(row for row in rows if row.situation)
    area, emotion = str(some.situation).split("/")
    assert some.number in numbers(desk, area=area, emotion=emotion)
    assert some.number not in numbers(desk, area="nowhere")
    assert numbers(desk, rows=[3, 5], order="number") == [3, 5]
    between = [row.number for row in rows if 0.2 <= row.uncertainty <= 0.6]
    assert numbers(desk, uncertain_from=0.2, uncertain_to=0.6) == between
    cause = rows[0].cause
    assert numbers(desk, cause=cause) == [row.number for row in rows if row.cause == cause]


def test_text_is_found_in_questions_and_replies_in_any_case(desk: ReviewDesk) -> None:
    """Quotes and wildcards of SQL are plain characters."""
    row = desk.row(FIRST, numbers(desk, style="dry-butler")[0])
    assert row.number in numbers(desk, text=row.reply[5:15].upper())
    assert row.number in numbers(desk, text=row.question[3:9], style="dry-butler")
    for nothing in ("%", "_'", "' OR 1=1 --", "nowhere to be found"):
        assert numbers(desk, text=nothing) == []


def test_counts_add_up_after_every_change(desk: ReviewDesk) -> None:
    """rows = open + accepted + rejected, in all and in each style; undo brings all back."""
    chance = random.Random(5)
    states = [desk.show(FIRST).counts]
    for _ in range(40):
        action = chance.choice(["accept", "reject", "reopen"])
        wanted: dict[str, Any] = chance.choice(
            [{}, {"style": "gentle"}, {"rows": [chance.randrange(40)]}, {"uncertain_from": 0.4}]
        )
        changed = decide(desk, action, **wanted)
        counts = desk.show(FIRST).counts
        assert counts.rows == counts.open + counts.accepted + counts.rejected == ROWS
        assert sum(sum(found.values()) for found in counts.by_style.values()) == ROWS
        if changed:
            states.append(counts)
    while len(states) > 1:
        assert desk.show(FIRST).counts == states.pop()
        desk.undo(FIRST, ReviewUndo(revision=desk.show(FIRST).revision))
    assert desk.show(FIRST).counts == states[0]


def test_undo_of_many_steps_brings_back_replies_and_notes(desk: ReviewDesk) -> None:
    """A bulk change, an edit and a replacement are one step each."""
    before = [desk.row(FIRST, number) for number in range(ROWS)]
    decide(desk, "reject", "all of them")
    row = numbers(desk, style="tsundere", origin="accepted")[0]
    edit = ReviewEdit(revision=1, reply="哼，谁要特地帮你啊！早点睡就是了。", note="better")
    desk.edit(FIRST, row, edit)
    replacement = ReviewReplacement(
        revision=2, filter=ReviewFilter(rows=[row]), find="早点睡", replacement="快去睡"
    )
    assert desk.replace(FIRST, replacement).changed == 1
    assert desk.row(FIRST, row).reply == "哼，谁要特地帮你啊！快去睡就是了。"
    assert desk.row(FIRST, row).original == before[row].reply
    assert numbers(desk, text="快去睡就是了") == [row]
    assert desk.undo(FIRST, ReviewUndo(revision=3, steps=3)).changed == ROWS
    after = [desk.row(FIRST, number) for number in range(ROWS)]
    assert [row.model_copy(update={"revision": 0}) for row in after] == before
    assert numbers(desk, text="快去睡就是了") == []
    actions = [(step.action, step.undone) for step in desk.steps(FIRST)]
    assert actions == [("undo", False), ("replace", True), ("edit", True), ("reject", True)]


def test_undo_of_more_steps_than_there_are_is_refused(desk: ReviewDesk) -> None:
    """Nothing is undone by half."""
    decide(desk, "reject", rows=[0])
    with pytest.raises(ConflictError, match="there are 1 steps to undo, not 2"):
        desk.undo(FIRST, ReviewUndo(revision=1, steps=2))
    assert desk.show(FIRST).revision == 1


def test_row_that_changed_meanwhile_is_a_conflict(desk: ReviewDesk) -> None:
    """Who looked before the change is told; rows that nobody touched do not conflict."""
    decide(desk, "reject", rows=[4])
    stale = {"revision": 0, "action": "accept"}
    with pytest.raises(ConflictError, match="row 4 was changed at revision 1"):
        desk.change(FIRST, ReviewChange.model_validate(stale | {"filter": {"rows": [3, 4]}}))
    with pytest.raises(ConflictError, match="row 4"):
        desk.edit(FIRST, 4, ReviewEdit(revision=0, reply="好的呀。", force=True, note="x"))
    assert desk.row(FIRST, 3).decision == "open"
    desk.change(FIRST, ReviewChange.model_validate(stale | {"filter": {"rows": [3]}}))
    assert desk.row(FIRST, 3).decision == "accepted"


def test_undo_wants_the_revision_of_now(desk: ReviewDesk) -> None:
    """Nobody takes back what somebody else did since."""
    decide(desk, "reject", rows=[4])
    decide(desk, "reject", rows=[5])
    with pytest.raises(ConflictError, match="at revision 2, you saw 1"):
        desk.undo(FIRST, ReviewUndo(revision=1))


def test_revision_from_the_future_is_a_conflict(desk: ReviewDesk) -> None:
    """A client that mixes reviews up is told."""
    with pytest.raises(ConflictError, match="at revision 0, not at 9"):
        desk.change(FIRST, ReviewChange(revision=9, action="reject", filter=ReviewFilter(rows=[1])))


def test_change_that_changes_nothing_is_no_step(desk: ReviewDesk) -> None:
    """Accepting what is accepted leaves the revision and the history."""
    assert decide(desk, "accept", style="gentle") == 10
    assert decide(desk, "accept", style="gentle") == 0
    assert desk.show(FIRST).revision == 1
    assert len(desk.steps(FIRST)) == 1


def test_note_stays_with_its_row(desk: ReviewDesk) -> None:
    """A decision with a note writes it; one without leaves it."""
    decide(desk, "note", "look again", rows=[7])
    decide(desk, "reject", rows=[7])
    assert (desk.row(FIRST, 7).note, desk.row(FIRST, 7).decision) == ("look again", "rejected")
    assert desk.show(FIRST).counts.noted == 1


@pytest.mark.parametrize("number", [ROWS, 10**9])
def test_row_that_is_not_there_is_not_found(desk: ReviewDesk, number: int) -> None:
    """Also inside a list of rows."""
    with pytest.raises(NotFoundError, match=f"no row {number}"):
        desk.row(FIRST, number)
    with pytest.raises(NotFoundError, match=f"no row {number}"):
        decide(desk, "reject", rows=[0, number])


def test_decisions_are_there_after_a_restart(desk: ReviewDesk, volume: Volume) -> None:
    """Another process reads what this one acknowledged."""
    decide(desk, "reject", style="gentle")
    again = ReviewStore(desk.store.folder)
    try:
        assert ReviewDesk(volume, desk.banks, again).show(FIRST) == desk.show(FIRST)
    finally:
        again.close()


def test_published_dataset_is_never_touched(desk: ReviewDesk, volume: Volume) -> None:
    """All that a review does lies in the state folder."""
    folder = volume.dataset(FIRST)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    decide(desk, "reject")
    desk.undo(FIRST, ReviewUndo(revision=1))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
