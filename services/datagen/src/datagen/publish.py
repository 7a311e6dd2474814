"""Publish a dataset: training files and manifest beside the journals, then one rename."""

import json
import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from contracts.dataset import Conditioning, Counts, DatasetManifest, FileDigest
from contracts.durable import file_digest, fsync_file, publish_folder
from contracts.identity import now
from contracts.lineage import Lineage, PairSummary
from contracts.sample import Sample
from contracts.style import StyleVersion
from contracts.volume import MANIFEST, Volume, read_document, write_document
from contracts.votes import PairSource
from datagen.errors import NothingAcceptedError
from datagen.formats import (
    EVAL,
    PREFERENCE,
    PREFERENCE_EVAL,
    TRAIN,
    alpaca_row,
    dataset_info,
)
from datagen.journals import REJECTED, SAMPLES
from datagen.preferences import Pair, ranking_rows, usable_pairs
from datagen.split import questions_of, split, split_like

KEPT = frozenset({SAMPLES, REJECTED})
INFO = "dataset_info.json"


@dataclass(frozen=True)
class PairsWanted:
    """Which preference pairs a dataset gets.

    Attributes:
        sources: which kinds to take.
        extra: pairs that do not come from the dataset's rows.
        same_question: only those whose replies answer one question.
        votes: how many votes were looked at, for the manifest.
        needed: whether a dataset without any is an error; then the manifest sums them up, too.
    """

    sources: frozenset[PairSource] = frozenset({"votes", "edits", "contrast"})
    extra: tuple[Pair, ...] = ()
    same_question: bool = False
    votes: int = 0
    needed: bool = False


@dataclass(frozen=True)
class Description:
    """What the manifest says of a dataset besides its files."""

    source: Literal["generated", "imported", "reviewed", "paired"]
    status: Literal["complete", "incomplete"]
    conditioning: Conditioning
    eval_ratio: float
    seed: int
    styles: list[StyleVersion]
    counts: Counts
    request: dict[str, Any] = field(default_factory=dict)
    teacher: str = ""
    lineage: Lineage | None = None
    # Questions that the version before held out; None draws a fresh split.
    held: frozenset[str] | None = None
    pairs_wanted: PairsWanted = field(default_factory=PairsWanted)


def publish_dataset(
    volume: Volume, dataset_id: str, samples: Iterable[Sample], description: Description
) -> DatasetManifest:
    """Write the files of a dataset whose journals lie in its staging folder, and publish it.

    Raises FileExistsError where the dataset is published already.
    """
    target = volume.dataset(dataset_id)
    staging = volume.staging(target)
    ordered = sorted(samples, key=lambda sample: sample.slot)
    train, held = parted(ordered, description)
    files = training_files(train, held, description)
    lineage = with_pairs(description.lineage, description.pairs_wanted, files)
    for name, rows in files.items():
        write_json(staging / f"{name}.json", rows)
    write_json(staging / INFO, dataset_info(list(files)))
    manifest = DatasetManifest(
        id=dataset_id,
        created_at=now(),
        source=description.source,
        status=description.status,
        conditioning=description.conditioning,
        styles=description.styles,
        counts=description.counts,
        rows={TRAIN: 0, EVAL: 0} | {name: len(rows) for name, rows in files.items()},
        files=durable_digests(staging, KEPT | {INFO, *(f"{name}.json" for name in files)}),
        request=description.request,
        teacher=description.teacher,
        lineage=lineage,
    )
    write_document(staging / MANIFEST, manifest)
    return finish_publishing(volume, dataset_id)


def finish_publishing(volume: Volume, dataset_id: str) -> DatasetManifest:
    """Publish a dataset whose staging folder has its manifest already: whatever else is in it goes.

    So a process that was killed in between goes on here. Raises FileNotFoundError, ValueError,
    FileExistsError.
    """
    target = volume.dataset(dataset_id)
    staging = volume.staging(target)
    manifest = read_document(staging / MANIFEST, DatasetManifest)
    drop_leftovers(staging, {MANIFEST, *manifest.files})
    publish_folder(staging, target)
    return manifest


def durable_digests(folder: Path, names: Iterable[str]) -> dict[str, FileDigest]:
    """Make those of the files that exist durable; return their digests."""
    paths = [folder / name for name in sorted(names) if (folder / name).exists()]
    for path in paths:
        fsync_file(path)
    return {path.name: file_digest(path) for path in paths}


def parted(samples: list[Sample], description: Description) -> tuple[list[Sample], list[Sample]]:
    """Return the rows for training and for evaluation; a later version keeps what was held out."""
    if description.held is None:
        return split(samples, description.eval_ratio, description.seed)
    return split_like(samples, description.held)


def training_files(
    train: list[Sample], held: list[Sample], description: Description
) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of every file that LLaMA-Factory reads, by split, where there are any.

    The pairs of a split are made from its own rows only, so that nothing leaks.
    """
    cards = {version.style.id: version.style for version in description.styles}
    how = description.conditioning
    questions = frozenset(question for row in held for question in questions_of(row))
    away = questions | (description.held or frozenset())
    early, late = pairs_by_split(description.pairs_wanted.extra, away)
    found = {
        TRAIN: [alpaca_row(row, cards[row.style], how) for row in train],
        EVAL: [alpaca_row(row, cards[row.style], how) for row in held],
        PREFERENCE: pair_rows(train, early, description),
        PREFERENCE_EVAL: pair_rows(held, late, description),
    }
    return {name: rows for name, rows in found.items() if rows}


def pair_rows(
    samples: list[Sample], extra: list[Pair], description: Description
) -> list[dict[str, Any]]:
    """Return the ranking rows of one split."""
    cards = {version.style.id: version.style for version in description.styles}
    how, wanted = description.conditioning, description.pairs_wanted
    found = usable_pairs(samples, how, description.seed, extra, wanted.sources)
    if wanted.same_question:
        found = [pair for pair in found if pair.match == "question"]
    return ranking_rows(found, cards, how)


def with_pairs(
    lineage: Lineage | None, wanted: PairsWanted, files: dict[str, list[dict[str, Any]]]
) -> Lineage | None:
    """Return the lineage with a summary of the pairs, where they were asked for.

    Raises NothingAcceptedError where there is none.
    """
    if not wanted.needed or lineage is None:
        return lineage
    rows = [*files.get(PREFERENCE, ()), *files.get(PREFERENCE_EVAL, ())]
    if not rows:
        raise NothingAcceptedError(
            f"no pair can be made of {', '.join(sorted(wanted.sources))}",
            field="sources",
            hint="collect votes (POST /votes), edit rows in a review, or allow contrast",
        )
    summary = PairSummary(
        sources=dict(sorted(Counter(row["source"] for row in rows).items())),
        matches=dict(sorted(Counter(row["match"] for row in rows).items())),
        votes=wanted.votes,
    )
    return lineage.model_copy(update={"pairs": summary})


def pairs_by_split(every: Iterable[Pair], held: frozenset[str]) -> tuple[list[Pair], list[Pair]]:
    """Return the pairs to train on and those whose question (also an earlier one) is held out."""
    found: tuple[list[Pair], list[Pair]] = ([], [])
    for pair in every:
        found[not held.isdisjoint(questions_of(pair.chosen))].append(pair)
    return found


def write_json(path: Path, document: Any) -> None:
    """Write `document` as JSON that a person can read (made durable when published)."""
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def drop_leftovers(staging: Path, kept: set[str]) -> None:
    """Remove what served the generation only: the plan, earlier turns, the record, torn tails."""
    for path in staging.iterdir():
        if path.name in kept:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
