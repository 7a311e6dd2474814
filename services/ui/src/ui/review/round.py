"""One round of a review: carries out the orders of a browser, and looks at the rows again.

Whatever a service answers becomes part of the view: nothing is raised. Each change names the
revision that its reader saw, so that what somebody else decided meanwhile is told, not lost.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from contracts.dataset import DatasetManifest
from contracts.review import (
    ReviewChange,
    ReviewEdit,
    ReviewFilter,
    ReviewPublication,
    ReviewRegeneration,
    ReviewUndo,
)
from ui.errors import ProblemError
from ui.review.filters import ROWS, query_of
from ui.review.orders import Order
from ui.review.view import Bulk, Editing, Told, View, newest_step
from ui.upstream.review_calls import ReviewCalls

GATE, CONFLICT = "gate_refused", "conflict"
DONE = {"accept": "accepted", "reject": "rejected", "reopen": "reopened"}


@dataclass(frozen=True)
class Asked:
    """What the fields of the sheet say."""

    filter: ReviewFilter
    order: Any = "uncertainty"


class Round:
    """Serves one reader once.

    Args:
        calls: the way to datagen.
        view: what the reader saw last.
        asked: which rows the reader wants to see.
    """

    def __init__(self, calls: ReviewCalls, view: View, asked: Asked) -> None:
        self.calls = calls
        self.view = view
        self.asked = asked

    async def run(self, orders: list[Order]) -> View:
        """Carry out the orders, one after the other, and look again; never raises."""
        if orders:
            self.view = self.view.fresh()
        for order in orders:
            await self.carry_out(order)
        return await self.look()

    async def carry_out(self, order: Order) -> None:
        """Carry out one order."""
        steps: dict[str, Callable[[Order], Awaitable[None]]] = {
            "undo": self.undo,
            "edit": self.begin_edit,
            "explain": self.explain,
            "regenerate": self.regenerate_one,
            "ask": self.ask,
            "yes": self.confirmed,
            "page": self.turn,
            "open": self.open,
        }
        if order.do == "no":
            self.view = replace(self.view, bulk=None)
        elif order.do in DONE and order.number is not None:
            chosen = ReviewFilter(rows=order.rows)
            await self.told(self.decide(order.do, chosen, self.view.revision))
        elif order.do in steps:
            await self.told(steps[order.do](order))

    async def told(self, work: Awaitable[None]) -> None:
        """Do `work`; why a service refuses it becomes part of the view."""
        try:
            await work
        except ProblemError as problem:
            if problem.values.get("code") == CONFLICT:
                told = Told("review.conflict", {"detail": problem.detail}, wrong=True)
                self.view = replace(self.view, told=told, bulk=None)
            else:
                self.view = replace(self.view, problem=problem)

    async def decide(self, action: str, wanted: ReviewFilter, revision: int) -> None:
        """Accept, reject or reopen the rows that match, as one step."""
        change = ReviewChange.model_validate(
            {"revision": revision, "action": action, "filter": wanted}
        )
        result = await self.calls.decide(self.view.dataset, change)
        told = Told(f"review.{DONE[action]}", {"count": result.changed}, dict(result.refused))
        self.view = replace(self.view, told=told)

    async def undo(self, _: Order) -> None:
        """Take the newest step back, and go to the first of its rows that is on the page."""
        step = newest_step(self.view.steps)
        if step is None:
            self.view = replace(self.view, told=Told("review.no_undo", wrong=True))
            return
        change = ReviewUndo(revision=self.view.revision)
        result = await self.calls.undo(self.view.dataset, change)
        told = Told("review.undone", {"count": result.changed})
        self.view = replace(self.view, told=told, changed_at=result.review.revision)

    async def begin_edit(self, order: Order) -> None:
        """Show a row's reply in the box."""
        if order.number is None:
            return
        row = await self.calls.row(self.view.dataset, order.number)
        editing = Editing(row, max(self.view.revision, row.revision))
        self.view = replace(self.view, editing=editing)

    async def explain(self, order: Order) -> None:
        """Ask what the gates say of a row, which measures the dataset the first time."""
        row = self.view.row(order.number)
        if row is not None:
            found = await self.calls.explanation(self.view.dataset, row.id)
            self.view = replace(self.view, why=(row.number, found))

    async def regenerate_one(self, order: Order) -> None:
        """Ask the teacher for another reply to a row."""
        if order.rows:
            chosen = ReviewFilter(rows=order.rows)
            await self.regenerate(chosen, self.view.revision, order.key, len(order.rows))

    async def regenerate(self, wanted: ReviewFilter, revision: int, key: str, count: int) -> None:
        """Start the job; sent twice with one key, it is one job."""
        change = ReviewRegeneration(revision=revision, filter=wanted)
        await self.calls.regenerate(self.view.dataset, change, key)
        self.view = replace(self.view, told=Told("review.asked_again", {"count": count}))

    async def ask(self, order: Order) -> None:
        """Count what a change of many rows would change, and wait for a yes."""
        wanted = self.asked.filter if order.rows is None else ReviewFilter(rows=order.rows)
        query = query_of(wanted, "number", 0).model_copy(update={"limit": 1})
        page = await self.calls.rows(self.view.dataset, query)
        bulk = Bulk(order.action, wanted, page.total, page.revision, order.key)
        if order.rows is not None:  # what the reader saw when selecting them
            bulk = replace(bulk, revision=self.view.revision)
        self.view = replace(self.view, bulk=bulk)

    async def confirmed(self, _: Order) -> None:
        """Do what waited for a yes."""
        bulk = self.view.bulk
        if bulk is None:
            return
        self.view = replace(self.view, bulk=None)
        if bulk.action == "regenerate":
            await self.regenerate(bulk.filter, bulk.revision, bulk.key, bulk.total)
        else:
            await self.decide(bulk.action, bulk.filter, bulk.revision)

    async def turn(self, order: Order) -> None:
        """Go to the next page, or the one before."""
        self.view = replace(self.view, offset=max(0, self.view.offset + order.by * ROWS))

    async def open(self, _: Order) -> None:
        """Open the review: each row is judged."""
        await self.calls.open(self.view.dataset)

    async def save(self, reply: str, note: str, *, force: bool) -> View:
        """Store what was written; where it is refused the box stays open, with the reason."""
        self.view = self.view.fresh()
        if self.view.editing is not None:
            await self.store(self.view.editing, reply, note, force=force)
        return await self.look()

    async def store(self, editing: Editing, reply: str, note: str, *, force: bool) -> None:
        """Send the edit; a conflict shows what the row says now, and the next save outweighs it."""
        if not reply.strip() or (force and not note.strip()):
            key = "review.empty_reply" if not reply.strip() else "review.note_needed"
            self.view = replace(self.view, told=Told(key, wrong=True))
            return
        known = {"revision": editing.revision, "reply": reply, "force": force}
        change = ReviewEdit.model_validate(known | ({"note": note.strip()} if note.strip() else {}))
        try:
            await self.calls.edit(self.view.dataset, editing.row.number, change)
        except ProblemError as problem:
            await self.refused(editing, problem)
            return
        told = Told("review.saved", {"number": editing.row.number + 1})
        self.view = replace(self.view, editing=None, told=told, goto=editing.row.number)

    async def refused(self, editing: Editing, problem: ProblemError) -> None:
        """Keep the box open, and say why."""
        if problem.values.get("code") == CONFLICT:
            await self.told(self.outweigh(editing))
        else:
            force = problem.values.get("code") == GATE
            self.view = replace(
                self.view, problem=problem, editing=replace(editing, force=force or editing.force)
            )

    async def outweigh(self, editing: Editing) -> None:
        """Show what somebody else made of the row meanwhile."""
        row = await self.calls.row(self.view.dataset, editing.row.number)
        fresh = replace(editing, row=row, revision=row.revision)
        told = Told("review.edited_meanwhile", {"reply": row.reply}, wrong=True)
        self.view = replace(self.view, editing=fresh, told=told)

    async def publish(self, *, only_accepted: bool, balance: bool) -> DatasetManifest | None:
        """Make the next version of what was looked at; None where that is refused."""
        self.view = self.view.fresh()
        made: list[DatasetManifest] = []

        async def work() -> None:
            request = ReviewPublication(
                revision=self.view.revision, only_accepted=only_accepted, balance=balance
            )
            made.append(await self.calls.publish(self.view.dataset, request))

        await self.told(work())
        return made[0] if made else None

    async def look(self) -> View:
        """Return the view with the rows, the counts and the history as they are now."""
        view, dataset = self.view, self.view.dataset
        query = query_of(self.asked.filter, self.asked.order, view.offset)
        try:
            review, page, steps = await asyncio.gather(
                self.calls.show(dataset), self.calls.rows(dataset, query), self.calls.steps(dataset)
            )
        except ProblemError as problem:
            return self.lost(problem)
        if not page.rows and view.offset:  # the last page has emptied
            last = max(0, (page.total - 1) // ROWS * ROWS)
            self.view = replace(view, offset=last)
            return await self.look()
        changed = (row.number for row in page.rows if row.revision == view.changed_at)
        goto = view.goto if view.changed_at is None else next(changed, None)
        return replace(
            view,
            review=review,
            page=page,
            steps=tuple(steps),
            goto=goto,
            unopened=False,
            serial=view.serial + 1,
        )

    def lost(self, problem: ProblemError) -> View:
        """Return the view without rows: nobody reviews the dataset, or the service is away."""
        empty = replace(self.view, review=None, page=None, steps=(), serial=self.view.serial + 1)
        if problem.values.get("status") == 404:
            return replace(empty, unopened=True, problem=self.view.problem)
        return replace(empty, problem=self.view.problem or problem)
