"""Publish a dataset: training files and manifest beside the journals, then one rename."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from contracts.dataset import Conditioning, Counts, DatasetManifest
from contracts.durable import tree_digests
from contracts.identity import now
from contracts.sample import Sample
from contracts.style import StyleVersion
from contracts.volume import Volume
from datagen.formats import (
    EVAL,
    PREFERENCE,
    PREFERENCE_EVAL,
    TRAIN,
    alpaca_row,
    dataset_info,
)
from datagen.journals import REJECTED, SAMPLES
from datagen.preferences import preference_rows
from datagen.split import split

KEPT = frozenset({SAMPLES, REJECTED})


@dataclass(frozen=True)
class Description:
    """What the manifest says of a dataset besides its files."""

    source: Literal["generated", "imported"]
    status: Literal["complete", "incomplete"]
    conditioning: Conditioning
    eval_ratio: float
    seed: int
    styles: list[StyleVersion]
    counts: Counts
    request: dict[str, Any] = field(default_factory=dict)
    teacher: str = ""


def publish_dataset(
    volume: Volume, dataset_id: str, samples: Iterable[Sample], description: Description
) -> DatasetManifest:
    """Write the files of a dataset whose journals lie in its staging folder, and publish it.

    Raises FileExistsError where the dataset is published already.
    """
    target = volume.dataset(dataset_id)
    staging = volume.staging(target)
    ordered = sorted(samples, key=lambda sample: sample.slot)
    train, held = split(ordered, description.eval_ratio, description.seed)
    files = training_files(train, held, description)
    for name, rows in files.items():
        write_json(staging / f"{name}.json", rows)
    write_json(staging / "dataset_info.json", dataset_info(list(files)))
    drop_leftovers(staging, {f"{name}.json" for name in files})
    manifest = DatasetManifest(
        id=dataset_id,
        created_at=now(),
        source=description.source,
        status=description.status,
        conditioning=description.conditioning,
        styles=description.styles,
        counts=description.counts,
        rows={TRAIN: 0, EVAL: 0} | {name: len(rows) for name, rows in files.items()},
        files=tree_digests(staging),
        request=description.request,
        teacher=description.teacher,
    )
    volume.publish(target, manifest)
    return manifest


def training_files(
    train: list[Sample], held: list[Sample], description: Description
) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of every file that LLaMA-Factory reads, by split, where there are any.

    The pairs of a split are made from its own rows only, so that nothing leaks.
    """
    cards = {version.style.id: version.style for version in description.styles}
    how = description.conditioning
    found = {
        TRAIN: [alpaca_row(row, cards[row.style], how) for row in train],
        EVAL: [alpaca_row(row, cards[row.style], how) for row in held],
        PREFERENCE: preference_rows(train, cards, how, description.seed),
        PREFERENCE_EVAL: preference_rows(held, cards, how, description.seed),
    }
    return {name: rows for name, rows in found.items() if rows}


def write_json(path: Path, document: Any) -> None:
    """Write `document` as JSON that a person can read (made durable when published)."""
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def drop_leftovers(staging: Path, written: set[str]) -> None:
    """Remove what served the generation only: the plan, earlier turns, torn tails."""
    keep = KEPT | written | {"dataset_info.json"}
    for path in staging.iterdir():
        if path.name not in keep:
            path.unlink()
