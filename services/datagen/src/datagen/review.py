"""The review desk: decisions about the rows of a published dataset, which itself never changes."""

from collections import Counter, defaultdict
from typing import Any

from contracts.review import (
    Review,
    ReviewChange,
    ReviewCounts,
    ReviewEdit,
    ReviewFilter,
    ReviewPage,
    ReviewQuery,
    ReviewReplacement,
    ReviewResult,
    ReviewRow,
    ReviewStep,
    ReviewUndo,
)
from contracts.sample import Sample
from contracts.volume import Volume
from datagen.board import encodable
from datagen.errors import GateRefusedError
from datagen.gates import Refusal
from datagen.regating import FINAL, Screens, refusal_of
from datagen.review_rows import Banks, Sheet, fresh_rows, shown
from datagen.review_schema import folded
from datagen.review_store import Head, ReviewStore, Row
from datagen.versions import published
from kit.errors import ConflictError, InvalidInputError, NotFoundError

DECISIONS = {"accept": "accepted", "reject": "rejected", "reopen": "open"}
# Others nobody can accept as they are: no reply, no card that says how it should sound, or words
# that must not be learnt.
USABLE = """(reply IS NOT NULL OR characters > 0 AND (reason IS NULL OR reason NOT IN
    ('malformed', 'unknown_style', 'control_token', 'crisis', 'personal_data')))"""
COUNTS = """SELECT style, origin, decision, reason, count(*) AS rows,
    sum(edit IS NOT NULL) AS edited FROM rows WHERE review = ?
    GROUP BY style, origin, decision, reason"""
NOTED = "SELECT count(*) FROM rows WHERE review = ? AND note != ''"


class ReviewDesk:
    """Opens and changes reviews.

    Args:
        volume: holds the datasets.
        banks: name the situation of a row that does not.
        store: the decisions.
        screens: tell a crisis, to which only safe replies are said.
    """

    def __init__(
        self, volume: Volume, banks: Banks, store: ReviewStore, screens: Screens | None = None
    ) -> None:
        self.screens: Screens = screens or {}
        self.volume = volume
        self.banks = banks
        self.store = store
        # By review, with the revision that they are of: counting 50,000 rows takes 30 ms.
        self._counts: dict[int, tuple[int, ReviewCounts]] = {}

    def open(self, dataset_id: str) -> Review:
        """Return the review of a dataset; the first call judges every row. Raises NotFoundError."""
        sheet = self.sheet(dataset_id)
        if self.store.head(dataset_id) is None:
            self.store.open(dataset_id, list(fresh_rows(sheet, self.banks)))
        return self.show(dataset_id)

    def sheet(self, dataset_id: str) -> Sheet:
        """Return the rows of a published dataset. Raises NotFoundError."""
        manifest = published(self.volume, dataset_id)
        return Sheet(self.volume.dataset(dataset_id), manifest)

    def head(self, dataset_id: str) -> Head:
        """Return the line of a review. Raises NotFoundError."""
        if head := self.store.head(dataset_id):
            return head
        published(self.volume, dataset_id)
        raise NotFoundError(
            f"nobody reviews the dataset {dataset_id[:80]!r}",
            field="dataset_id",
            hint="POST /datasets/{id}/review opens a review",
        )

    def show(self, dataset_id: str) -> Review:
        """Return a review with its counts, all of one moment. Raises NotFoundError."""
        with self.store.snapshot():
            head = self.head(dataset_id)
            revision, counts = self._counts.get(head.id, (-1, None))
            if counts is None or revision != head.revision:
                noted = self.store.read(NOTED, (head.id,))[0][0]
                counts = counted(self.store.read(COUNTS, (head.id,)), noted)
                self._counts[head.id] = head.revision, counts
        return Review(
            dataset_id=head.dataset,
            revision=head.revision,
            created_at=head.created_at,
            counts=counts,
        )

    def page(self, dataset_id: str, query: ReviewQuery) -> ReviewPage:
        """Return the rows that match, one page of them. Raises NotFoundError."""
        sheet = self.sheet(dataset_id)
        with self.store.snapshot():
            head = self.head(dataset_id)
            total, rows = self.store.page(head, query)
        found = [shown(row, *texts) for row, texts in zip(rows, sheet.samples(rows), strict=True)]
        return ReviewPage(revision=head.revision, total=total, rows=found)

    def row(self, dataset_id: str, number: int) -> ReviewRow:
        """Return one row. Raises NotFoundError."""
        head = self.head(dataset_id)
        row = self._one(head, number)
        return shown(row, *self.sheet(dataset_id).samples([row])[0])

    def change(self, dataset_id: str, change: ReviewChange) -> ReviewResult:
        """Accept, reject, reopen or annotate all rows that match, as one step.

        Raises NotFoundError, and ConflictError where a row changed since it was looked at.
        """
        head = self.check(dataset_id, change.filter, change.revision)
        fields: dict[str, Any] = {}
        if change.action in DECISIONS:
            fields["decision"] = DECISIONS[change.action]
        if change.note is not None:
            fields["note"] = encodable(change.note)
        only = USABLE if change.action == "accept" else "1"
        refused = self.store.tally(head, change.filter, f"NOT {only}")
        changed = self.store.decide(
            head, change.revision, change.filter, change.action, fields, only
        )
        return ReviewResult(review=self.show(dataset_id), changed=changed, refused=refused)

    def edit(self, dataset_id: str, number: int, edit: ReviewEdit) -> ReviewResult:
        """Give a row another reply, which accepts it.

        Raises:
            GateRefusedError: a gate refuses the reply, and the edit does not overrule it.
            NotFoundError, ConflictError: as `change`.
        """
        head = self.check(dataset_id, ReviewFilter(rows=[number]), edit.revision)
        row, sheet = self._one(head, number), self.sheet(dataset_id)
        sample, _ = sheet.samples([row])[0]
        refusal = self._refusal(sheet, row, sample, edit.reply)
        if refusal and (refusal.reason in FINAL or not edit.force):
            raise gate_refused(refusal)
        fresh = edited_fields(row, sample, edit.reply, "person", forced=refusal is not None)
        fresh["note"] = row["note"] if edit.note is None else encodable(edit.note)
        changed = self.store.rewrite(head, edit.revision, "edit", [fresh])
        return ReviewResult(review=self.show(dataset_id), changed=changed)

    def replace(self, dataset_id: str, change: ReviewReplacement) -> ReviewResult:
        """Replace a text in all replies that match and hold it, as one step.

        What a gate would then refuse stays as it is, counted by reason.
        """
        head = self.check(dataset_id, change.filter, change.revision)
        sheet, found, refused = self.sheet(dataset_id), [], Counter[str]()
        rows = self.store.matching(head, change.filter)
        for row, (sample, _) in zip(rows, sheet.samples(rows), strict=True):
            reply = sample.reply if row["reply"] is None else row["reply"]
            if change.find not in reply:
                continue
            fresh = reply.replace(change.find, change.replacement).strip()
            if refusal := self._refusal(sheet, row, sample, fresh):
                refused[refusal.reason.value] += 1
                continue
            found.append(edited_fields(row, sample, fresh, "replacement"))
            if row["decision"] == "rejected" or (row["decision"], row["origin"]) == LEFT_OUT:
                found[-1]["decision"] = row["decision"]  # a corrected word rescues no row
            if change.note is not None:
                found[-1]["note"] = encodable(change.note)
        changed = self.store.rewrite(head, change.revision, "replace", found)
        review = self.show(dataset_id)
        return ReviewResult(review=review, changed=changed, refused=dict(sorted(refused.items())))

    def undo(self, dataset_id: str, undo: ReviewUndo) -> ReviewResult:
        """Take the newest steps back. Raises ConflictError where the review went on meanwhile."""
        changed = self.store.undo(self.head(dataset_id), undo.revision, undo.steps)
        return ReviewResult(review=self.show(dataset_id), changed=changed)

    def steps(self, dataset_id: str, offset: int = 0, limit: int = 100) -> list[ReviewStep]:
        """Return the history, newest first. Raises NotFoundError."""
        head = self.head(dataset_id)
        rows = self.store.read(
            "SELECT revision, at, action, rows, undone, detail FROM steps WHERE review = ? "
            "ORDER BY revision DESC LIMIT ? OFFSET ?",
            (head.id, limit, offset),
        )
        return [ReviewStep.model_validate(dict(row)) for row in rows]

    def _one(self, head: Head, number: int) -> Row:
        rows = self.store.read(
            "SELECT * FROM rows WHERE review = ? AND number = ?", (head.id, number)
        )
        if not rows:
            raise NotFoundError(
                f"the review has no row {number}",
                field="row",
                hint="GET .../review/rows lists them with their numbers",
            )
        return rows[0]

    def check(self, dataset_id: str, wanted: ReviewFilter, seen: int) -> Head:
        """Return the review's line.

        Raises NotFoundError for a row, ConflictError for a revision that does not exist.
        """
        head = self.head(dataset_id)
        if seen > head.revision:
            raise ConflictError(
                f"the review is at revision {head.revision}, not at {seen}",
                field="revision",
                hint="look at the rows again and send the revision that comes with them",
            )
        if wanted.rows:
            self._one(head, max(wanted.rows))  # they are numbered without a gap
        return head

    def _refusal(self, sheet: Sheet, row: Row, sample: Sample, reply: str) -> Refusal | None:
        """Return why a gate refuses `reply`. Raises InvalidInputError for a row without a card."""
        if row["style"] not in sheet.styles:
            raise InvalidInputError(
                f"row {row['number']} is of no style of this dataset",
                field="row",
                hint="add it to a file with its style named, and import that",
            )
        return refusal_of(sheet.styles[row["style"]], sample, reply, self.screens)


def gate_refused(refusal: Refusal) -> GateRefusedError:
    """Return the error for an edit that a gate refuses."""
    overruled = "correct it, or send force=true with a note that says why it is right"
    return GateRefusedError(
        f"the gate {refusal.reason.value!r} refuses this reply: {refusal.detail}"[:300],
        field="reply",
        hint="correct it; nobody may overrule this gate" if refusal.reason in FINAL else overruled,
    )


def edited_fields(
    row: Row, sample: Sample, reply: str, edit: str, *, forced: bool = False
) -> dict[str, Any]:
    """Return the fields of a row that gets another reply; it counts as accepted."""
    reply = encodable(reply)
    return {
        "number": row["number"],
        "decision": "accepted",
        "reply": reply,
        "folded": folded(sample.question, reply),
        "characters": len(reply),
        "edit": edit,
        "forced": int(forced),
        "note": row["note"],
    }


def counted(rows: list[Row], noted: int) -> ReviewCounts:
    """Return the counts of grouped rows: rows = open + accepted + rejected."""
    decisions, by_reason = Counter[str](), Counter[str]()
    by_style: dict[str, Counter[str]] = defaultdict(Counter)
    kept = edited = 0
    for row in rows:
        decisions[row["decision"]] += row["rows"]
        by_style[row["style"]][row["decision"]] += row["rows"]
        by_reason[row["reason"] or ""] += row["rows"]
        edited += row["edited"]
        if row["decision"] == "accepted" or (row["decision"], row["origin"]) == KEPT_OPEN:
            kept += row["rows"]
    del by_reason[""]
    return ReviewCounts(
        rows=decisions.total(),
        open=decisions["open"],
        accepted=decisions["accepted"],
        rejected=decisions["rejected"],
        edited=edited,
        noted=noted,
        kept=kept,
        by_style={style: dict(found) for style, found in sorted(by_style.items())},
        by_reason=dict(sorted(by_reason.items())),
    )


# Nobody decided: what the gates accepted stays, what they refused does not.
KEPT_OPEN, LEFT_OUT = ("open", "accepted"), ("open", "rejected")
