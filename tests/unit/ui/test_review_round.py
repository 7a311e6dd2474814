"""Rounds of a review against datagen's own routes: orders, conflicts, edits, a new version."""

import pytest

from contracts.review import ReviewFilter
from fakes.page_stack_review import publish_reviewed, services_of
from fakes.stack import Stack
from ui.review.orders import Order
from ui.review.round import Asked, Round
from ui.review.view import View
from ui.upstream.backend import Backend
from ui.upstream.review_calls import ReviewCalls

EVERYTHING = Asked(ReviewFilter())


@pytest.fixture
def dataset(stack: Stack) -> str:
    """A dataset that nobody reviews yet."""
    return publish_reviewed(stack, per_style=4)


async def go(calls: ReviewCalls, view: View, *orders: Order, asked: Asked = EVERYTHING) -> View:
    """Return the view after some orders."""
    return await Round(calls, view, asked).run(list(orders))


async def begun(calls: ReviewCalls, dataset: str) -> View:
    """Return the view of a review that has just begun."""
    return await go(calls, View(dataset=dataset), Order(do="open"))


def counts(view: View) -> tuple[int, int, int]:
    """Return how many rows are accepted, rejected and open."""
    assert view.review is not None
    found = view.review.counts
    return found.accepted, found.rejected, found.open


async def test_review_begins_when_somebody_opens_it(backend: Backend, dataset: str) -> None:
    """Before, there are no rows, and no problem either."""
    before = await go(backend.reviews, View(dataset=dataset))
    assert before.unopened
    assert before.problem is None
    view = await begun(backend.reviews, dataset)
    assert not view.unopened
    assert counts(view) == (0, 0, 19)


async def test_orders_are_carried_out_in_their_order(backend: Backend, dataset: str) -> None:
    """Several keys at once, and undo takes the newest back and leads to its row."""
    view = await begun(backend.reviews, dataset)
    accept, reject = Order(do="accept", rows=[0]), Order(do="reject", rows=[1])
    view = await go(backend.reviews, view, accept, reject)
    assert counts(view) == (1, 1, 17)
    view = await go(backend.reviews, view, Order(do="undo"))
    assert counts(view) == (1, 0, 18)
    assert view.goto == 1
    assert view.told is not None
    assert view.told.key == "review.undone"


async def test_many_rows_wait_for_a_yes_and_are_one_step(backend: Backend, dataset: str) -> None:
    """The number that is asked about is the number that changes; a no changes none."""
    asked = Asked(ReviewFilter(style="tsundere"))
    view = await begun(backend.reviews, dataset)
    view = await go(backend.reviews, view, Order(do="ask", action="reject"), asked=asked)
    assert view.bulk is not None
    assert view.bulk.total == 7
    assert counts(view) == (0, 0, 19)
    declined = await go(backend.reviews, view, Order(do="no"), asked=asked)
    assert declined.bulk is None
    view = await go(backend.reviews, view, Order(do="yes"), asked=asked)
    assert counts(view) == (0, 7, 12)
    view = await go(backend.reviews, view, Order(do="undo"))
    assert counts(view) == (0, 0, 19)


async def test_decision_of_somebody_else_is_told_and_stays(backend: Backend, dataset: str) -> None:
    """Two people, one row: the second is told, and sees what the first decided."""
    first = await begun(backend.reviews, dataset)
    second = await go(backend.reviews, View(dataset=dataset))
    await go(backend.reviews, first, Order(do="reject", rows=[2]))
    told = await go(backend.reviews, second, Order(do="accept", rows=[2]))
    assert told.told is not None
    assert told.told.key == "review.conflict"
    assert counts(told) == (0, 1, 18)


async def test_edit_that_a_gate_refuses_stays_in_the_box(backend: Backend, dataset: str) -> None:
    """It may be kept against the gate, with a note that says why."""
    view = await begun(backend.reviews, dataset)
    view = await go(backend.reviews, view, Order(do="edit", rows=[0]))
    assert view.editing is not None
    refused = await Round(backend.reviews, view, EVERYTHING).save("嗯", "", force=False)
    assert refused.problem is not None
    assert refused.editing is not None
    assert refused.editing.force
    silent = await Round(backend.reviews, refused, EVERYTHING).save("嗯", " ", force=True)
    assert silent.told is not None
    assert silent.told.key == "review.note_needed"
    kept = await Round(backend.reviews, silent, EVERYTHING).save("嗯", "short", force=True)
    assert kept.editing is None
    assert counts(kept)[0] == 1
    assert kept.goto == 0


async def test_edit_of_a_row_that_changed_shows_both(
    backend: Backend, stack: Stack, dataset: str
) -> None:
    """What was written is not lost, and what somebody else wrote is not overwritten unseen."""
    view = await begun(backend.reviews, dataset)
    row = view.page.rows[0].number if view.page else 0
    view = await go(backend.reviews, view, Order(do="edit", rows=[row]))
    other = services_of(stack).reviews
    head = other.head(dataset)
    assert head is not None
    other.decide(head, head.revision, ReviewFilter(rows=[row]), "reject", {"decision": "rejected"})
    told = await Round(backend.reviews, view, EVERYTHING).save("嗯，知道了。", "why", force=True)
    assert told.told is not None
    assert told.told.key == "review.edited_meanwhile"
    assert told.editing is not None
    kept = await Round(backend.reviews, told, EVERYTHING).save("嗯，知道了。", "why", force=True)
    assert kept.editing is None


async def test_teacher_is_asked_once_for_one_key(backend: Backend, dataset: str) -> None:
    """A second click with the same key is the same job."""
    view = await begun(backend.reviews, dataset)
    order = Order(do="regenerate", rows=[0], key=f"once-{dataset}")
    await go(backend.reviews, view, order, order)
    jobs = await backend.reviews.jobs.newest()
    assert len([job for job in jobs if job.request["dataset_id"] == dataset]) == 1


async def test_row_is_explained_by_every_gate(backend: Backend, dataset: str) -> None:
    """Accepted rows and refused ones are found by the id that the report card uses."""
    view = await begun(backend.reviews, dataset)
    for number in (0, 17):
        view = await go(backend.reviews, view, Order(do="explain", rows=[number]))
        assert view.problem is None
        assert view.why is not None
        assert view.why[0] == number
        assert len(view.why[1].gates) == 15


async def test_version_is_made_of_what_was_decided(backend: Backend, dataset: str) -> None:
    """A rejected row is not in it."""
    view = await begun(backend.reviews, dataset)
    view = await go(backend.reviews, view, Order(do="reject", rows=[0]))
    made = await Round(backend.reviews, view, EVERYTHING).publish(
        only_accepted=False, balance=False
    )
    assert made is not None
    assert made.rows["train"] + made.rows["eval"] == 15
    assert [one.version for one in await backend.reviews.versions(dataset)] == [1, 2]


async def test_service_that_is_away_is_said(backend: Backend, dataset: str, stack: Stack) -> None:
    """The rows go, and why is there."""
    view = await begun(backend.reviews, dataset)
    stack.datagen_up = False
    lost = await go(backend.reviews, view, Order(do="accept", rows=[0]))
    assert lost.problem is not None
    assert lost.page is None
