"""What one reviewer's page was last made from: kept by the session, never shared."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from contracts.dataset import DatasetManifest
from contracts.quality import Explanation
from contracts.review import Review, ReviewFilter, ReviewPage, ReviewRow, ReviewStep
from ui.errors import ProblemError
from ui.review.filters import EVERYTHING
from ui.review.orders import Action, Order


@dataclass(frozen=True)
class Told:
    """A sentence about what was done: a locale key and what fills it.

    Attributes:
        refused: rows that were left as they are, by the reason.
        wrong: whether it is no success.
    """

    key: str
    values: dict[str, Any] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    wrong: bool = False


@dataclass(frozen=True)
class Bulk:
    """A change of many rows that waits for a yes; `revision` is the one that was looked at."""

    action: Action
    filter: ReviewFilter
    total: int
    revision: int
    key: str


@dataclass(frozen=True)
class Editing:
    """A row whose reply is being written; `force` once a gate refused it."""

    row: ReviewRow
    revision: int
    force: bool = False


@dataclass(frozen=True)
class View:
    """What was seen last.

    Attributes:
        dataset: whose review.
        offset: of the page of rows.
        review: its counts; None before somebody opened it.
        page: the rows.
        steps: the history, newest first.
        goto: the row to look at next; None leaves the reader where they are.
        changed_at: the revision whose first row is looked at next.
        told: what was done last.
        problem: why the service does not do it.
        bulk: waits for a yes.
        editing: the row that is being written.
        why: what the gates say of a row, and its number.
        unopened: nobody reviews the dataset yet.
        serial: counts the looks.
        text: that was searched for.
    """

    dataset: str = ""
    offset: int = 0
    review: Review | None = None
    page: ReviewPage | None = None
    steps: tuple[ReviewStep, ...] = ()
    goto: int | None = None
    changed_at: int | None = None
    told: Told | None = None
    problem: ProblemError | None = None
    bulk: Bulk | None = None
    editing: Editing | None = None
    why: tuple[int, Explanation] | None = None
    unopened: bool = False
    serial: int = 0
    text: str = ""

    @property
    def revision(self) -> int:
        """The revision that was looked at."""
        return self.page.revision if self.page else 0

    def row(self, number: int | None) -> ReviewRow | None:
        """Return a row of the page."""
        rows = self.page.rows if self.page else []
        return next((row for row in rows if row.number == number), None)

    def fresh(self) -> "View":
        """Return the view without what the last order left behind."""
        return replace(self, told=None, problem=None, goto=None, changed_at=None)


def newest_step(steps: tuple[ReviewStep, ...]) -> ReviewStep | None:
    """Return the step that an undo takes back, or None."""
    return next((one for one in steps if not one.undone and one.action != "undo"), None)


def view_of(view: Any, place: Any, dataset: Any, *, first: bool = False) -> View:
    """Return what was seen last; after a reload, or for another dataset, a new beginning."""
    chosen = str(dataset or "")
    if isinstance(view, View) and view.dataset == chosen:
        return replace(view, offset=0) if first else view
    try:
        known = json.loads(str(place or "{}"))
        offset = int(known["offset"]) if known.get("dataset") == chosen and not first else 0
    except (ValueError, KeyError, TypeError, AttributeError):
        offset = 0
    return View(dataset=chosen, offset=max(0, min(offset, 10_000_000)))


def pointed(order: Order, fields: Sequence[Any], situation: Any, view: View) -> Any:
    """Return fields, situation and view after an order that changes what is looked at."""
    if order.do not in ("filter", "clear"):
        return list(fields), situation, view
    wanted = order.filter
    fresh = [wanted.style, *EVERYTHING[1:-1], wanted.text]
    there = {"area": wanted.area, "emotion": wanted.emotion}
    chosen = json.dumps(there) if any(there.values()) else ""
    return fresh, chosen, replace(view, offset=0)


def published(made: DatasetManifest) -> Told:
    """Return the sentence about a new version."""
    version = made.lineage.version if made.lineage else 1
    values = {
        "version": version,
        "id": made.id,
        "rows": made.rows.get("train", 0) + made.rows.get("eval", 0),
    }
    return Told("review.published", values)
