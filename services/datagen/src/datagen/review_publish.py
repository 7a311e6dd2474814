"""From a review to the next version: what people decided, and the parent's held-out questions."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contracts.dataset import Counts, DatasetManifest
from contracts.lineage import ReviewSummary
from contracts.review import ReviewFilter, ReviewPublication
from contracts.sample import Rejected, RejectReason, Sample
from contracts.volume import Volume
from datagen.errors import NothingAcceptedError
from datagen.formats import EVAL
from datagen.journals import REJECTED, SAMPLES, write_lines
from datagen.publish import Description, publish_dataset
from datagen.review import KEPT_OPEN, ReviewDesk
from datagen.review_rows import Sheet, decided
from datagen.review_store import Head, Row
from datagen.split import split_like
from datagen.storage import RETRY, full_volume_told
from datagen.text import letters
from datagen.versions import chain, next_id, next_lineage, numbered
from kit.errors import ConflictError

DEFAULT_SEED = 7


@dataclass
class Selection:
    """What goes into the next version, what does not, and why.

    rows = kept + dropped + left_out.
    """

    kept: list[Sample] = field(default_factory=list)
    dropped: list[Rejected] = field(default_factory=list)
    left_out: int = 0
    tally: Counter[str] = field(default_factory=Counter)

    def take(self, row: Row, sample: Sample, refused: Rejected | None, *, only: bool) -> None:
        """Put one row where its decision sends it; `only` leaves out what nobody decided."""
        self.tally["rows"] += 1
        self.tally[row["decision"]] += 1
        if row["decision"] == "accepted":
            self.tally["rescued"] += refused is not None
            self._keep(row, sample)
        elif row["decision"] == "rejected" or (row["decision"], row["origin"]) != KEPT_OPEN:
            self.dropped.append(refused or rejected_by_person(row, sample))
        elif only:
            self.left_out += 1
        else:
            self._keep(row, sample)

    def _keep(self, row: Row, sample: Sample) -> None:
        self.tally["edited"] += row["edit"] in ("person", "replacement")
        self.tally["regenerated"] += row["edit"] == "teacher"
        self.tally["forced"] += row["forced"]
        self.kept.append(decided(row, sample))

    def balance(self, held: frozenset[str], seed: int) -> None:
        """Keep of each style as many rows as the rarest has, in either split."""
        before = len(self.kept)
        train, evaluation = split_like(self.kept, held)
        chosen = {row.id for part in (train, evaluation) for row in evened(part, seed)}
        self.kept = [row for row in self.kept if row.id in chosen]
        self.left_out += before - len(self.kept)

    def summary(self, revision: int) -> ReviewSummary:
        """Return what the manifest says of the decisions."""
        return ReviewSummary(
            revision=revision,
            rows=self.tally["rows"],
            kept=len(self.kept),
            dropped=len(self.dropped),
            left_out=self.left_out,
            accepted=self.tally["accepted"],
            rejected=self.tally["rejected"],
            edited=self.tally["edited"],
            regenerated=self.tally["regenerated"],
            forced=self.tally["forced"],
            rescued=self.tally["rescued"],
        )

    def counts(self) -> Counts:
        """Return the counts of the next version: asked = accepted + rejected + left out."""
        reasons = Counter(row.reason.value for row in self.dropped)
        return Counts(
            asked=self.tally["rows"],
            accepted=len(self.kept),
            rejected=dict(sorted(reasons.items())),
            failed={"left_out": self.left_out} if self.left_out else {},
        )


def rejected_by_person(row: Row, sample: Sample) -> Rejected:
    """Return the journal's row for what a person rejected."""
    return Rejected(
        slot=sample.slot,
        style=sample.style,
        attempt=sample.attempt,
        question=sample.question,
        reply=sample.reply if row["reply"] is None else row["reply"],
        reason=RejectReason.REVIEWER,
        detail=row["note"],
        turn=len(sample.history),
        history=sample.history,
    )


def evened(samples: list[Sample], seed: int) -> list[Sample]:
    """Return equally many rows of each style, drawn by `seed`; those that people touched first."""
    by_style: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_style[sample.style].append(sample)
    least = min(map(len, by_style.values()), default=0)

    def order(sample: Sample) -> tuple[bool, str]:
        digest = hashlib.sha256(f"{seed}/{sample.slot}".encode()).hexdigest()
        return sample.review is None, digest

    return [row for rows in by_style.values() for row in sorted(rows, key=order)[:least]]


def held_questions(folder: Path) -> frozenset[str]:
    """Return the normal form of every question in a dataset's evaluation split."""
    path = folder / f"{EVAL}.json"
    if not path.exists():
        return frozenset()
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    texts: Iterable[str] = (
        text
        for row in rows
        for text in (row["instruction"], *(turn[0] for turn in row.get("history") or ()))
    )
    return frozenset(map(letters, texts))


def ever_held(volume: Volume, dataset_id: str) -> frozenset[str]:
    """Return what a dataset or any version before it held out.

    A row that a review took away leaves the split too: brought back by a later review, or by a
    vote, its question must not be trained on.
    """
    known = (held_questions(volume.dataset(one.id)) for one in chain(volume, dataset_id))
    return frozenset().union(*known)


@numbered
def publish_review(
    desk: ReviewDesk, dataset_id: str, request: ReviewPublication
) -> DatasetManifest:
    """Publish the next version of a dataset.

    Raises:
        NotFoundError: there is no such dataset, or no review of it.
        ConflictError: the review went on since revision `request.revision`.
        NothingAcceptedError: no row is left.
        StorageFullError: the volume is full; nothing stays.
    """
    sheet = desk.sheet(dataset_id)
    head, selection = selected(desk, sheet, request)
    held = ever_held(desk.volume, dataset_id)
    seed = request.seed
    if seed is None:
        given = sheet.manifest.request.get("seed", DEFAULT_SEED)
        seed = given if isinstance(given, int) else DEFAULT_SEED
    if request.balance:
        selection.balance(held, seed)
    if not selection.kept:
        raise NothingAcceptedError(
            "no row of the review is left to publish",
            hint="accept some rows, or publish without only_accepted",
        )
    return publish_selection(desk, sheet, selection, request, head=head, held=held, seed=seed)


def selected(desk: ReviewDesk, sheet: Sheet, request: ReviewPublication) -> tuple[Head, Selection]:
    """Return the review's line and what it selects, all of one moment."""
    with desk.store.snapshot():
        head = desk.head(sheet.manifest.id)
        rows = desk.store.matching(head, ReviewFilter())
    if head.revision != request.revision:
        raise ConflictError(
            f"the review is at revision {head.revision}, you saw {request.revision}",
            field="revision",
            hint="look at what was changed meanwhile, then send the new revision",
        )
    selection = Selection()
    for row, (sample, refused) in zip(rows, sheet.samples(rows), strict=True):
        selection.take(row, sample, refused, only=request.only_accepted)
    return head, selection


def publish_selection(
    desk: ReviewDesk,
    sheet: Sheet,
    selection: Selection,
    request: ReviewPublication,
    *,
    head: Head,
    held: frozenset[str],
    seed: int,
) -> DatasetManifest:
    """Write and publish the next version. On an error nothing stays."""
    parent = sheet.manifest
    lineage = next_lineage(desk.volume, parent)
    description = Description(
        source="reviewed",
        status=parent.status,
        conditioning=request.conditioning or parent.conditioning,
        eval_ratio=0.0,
        seed=seed,
        styles=parent.styles,
        counts=selection.counts(),
        request=request.model_dump(mode="json") | {"seed": seed},
        teacher=parent.teacher,
        lineage=lineage.model_copy(update={"review": selection.summary(head.revision)}),
        held=held,
    )
    made = next_id(parent, request.name)
    target = desk.volume.dataset(made)
    staging = desk.volume.staging(target)
    with full_volume_told(RETRY):
        try:
            write_lines(staging / SAMPLES, [row.model_dump_json() for row in selection.kept])
            write_lines(staging / REJECTED, [row.model_dump_json() for row in selection.dropped])
            return publish_dataset(desk.volume, made, selection.kept, description)
        except OSError:
            desk.volume.discard(target)
            raise
