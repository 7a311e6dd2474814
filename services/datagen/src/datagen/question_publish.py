"""Publish a question set: its rows by split, what was refused, and the manifest last."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from contracts.durable import publish_folder
from contracts.identity import now
from contracts.question_set import (
    QuestionCounts,
    QuestionSetManifest,
    RejectedQuestion,
    SetQuestion,
)
from contracts.volume import MANIFEST, Volume, read_document, write_document
from datagen.journals import write_lines
from datagen.publish import drop_leftovers, durable_digests
from datagen.question_sets import QUESTIONS, REJECTED
from datagen.text import letters


@dataclass(frozen=True)
class SetDescription:
    """What the manifest says of a set besides its rows."""

    source: Literal["generated", "imported"]
    counts: QuestionCounts
    heldout_ratio: float
    seed: int
    request: dict[str, Any]
    short_cells: dict[str, int] = field(default_factory=dict)
    teacher: str = ""


def publish_set(
    volume: Volume,
    set_id: str,
    questions: Sequence[SetQuestion],
    refused: Sequence[RejectedQuestion],
    description: SetDescription,
) -> QuestionSetManifest:
    """Write the files of a set into its staging folder, and publish it.

    Raises:
        FileExistsError: it is published already.
        OSError: the disk refuses it.
    """
    staging = volume.staging(volume.question_set(set_id))
    rows = with_splits(questions, description.heldout_ratio, description.seed)
    write_lines(staging / QUESTIONS, [row.model_dump_json() for row in rows])
    write_lines(staging / REJECTED, [row.model_dump_json() for row in refused])
    splits = Counter(row.split for row in rows)
    manifest = QuestionSetManifest(
        id=set_id,
        created_at=now(),
        source=description.source,
        status="incomplete" if description.short_cells else "complete",
        counts=description.counts,
        rows={"train": splits["train"], "heldout": splits["heldout"]},
        languages=dict(sorted(Counter(row.language for row in rows).items())),
        cells=len({(row.language, row.situation_id) for row in rows if row.situation_id}),
        short_cells=description.short_cells,
        without_cell=sum(row.situation_id is None for row in rows),
        files=durable_digests(staging, (QUESTIONS, REJECTED)),
        request=description.request,
        teacher=description.teacher,
    )
    write_document(staging / MANIFEST, manifest)
    return finish_set(volume, set_id)


def finish_set(volume: Volume, set_id: str) -> QuestionSetManifest:
    """Publish a set whose staging folder has its manifest already: whatever else is in it goes.

    The journal of the writing stays until then, so a process that was killed asks nothing twice.
    Raises FileNotFoundError, ValueError, FileExistsError, OSError.
    """
    target = volume.question_set(set_id)
    staging = volume.staging(target)
    manifest = read_document(staging / MANIFEST, QuestionSetManifest)
    drop_leftovers(staging, {MANIFEST, *manifest.files})
    publish_folder(staging, target)
    return manifest


def with_splits(rows: Sequence[SetQuestion], ratio: float, seed: int) -> list[SetQuestion]:
    """Return `rows` with their split, in their order.

    Of each language the wanted share is held out, at least one question where there are two and
    `ratio` is above 0, and never all. Cells with most questions give one first, so that training
    keeps as many cells as it can.
    """
    held: set[str] = set()
    for language in {row.language for row in rows}:
        own = [row for row in rows if row.language == language]
        wanted = max(round(len(own) * ratio), int(ratio > 0))
        held.update(row.id for row in heldout_first(own, seed)[: min(wanted, len(own) - 1)])
    return [
        row.model_copy(update={"split": "heldout" if row.id in held else "train"}) for row in rows
    ]


def heldout_first(rows: Sequence[SetQuestion], seed: int) -> list[SetQuestion]:
    """Return `rows` in the order in which they are held out: the same on every machine."""
    cells: dict[str | None, list[SetQuestion]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: digest(row.text, seed)):
        cells[row.situation_id].append(row)
    # What a cell gives up as its first leaves it len - 1 questions, as its second len - 2, ...
    ranked = [
        (len(own) - number, digest(row.text, seed), row)
        for own in cells.values()
        for number, row in enumerate(own)
    ]
    return [row for _, _, row in sorted(ranked, key=lambda entry: (-entry[0], entry[1]))]


def digest(text: str, seed: int) -> str:
    """Return what orders questions: by their letters, so that punctuation changes nothing."""
    return hashlib.sha256(f"{seed}/{letters(text)}".encode()).hexdigest()
