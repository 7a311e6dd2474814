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
from datagen.formats import EVAL, TRAIN, alpaca_row, dataset_info
from datagen.journals import REJECTED, SAMPLES
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
    rows = {TRAIN: train, EVAL: held}
    cards = {version.style.id: version.style for version in description.styles}
    for name, part in rows.items():
        if part:
            documents = [
                alpaca_row(row, cards[row.style], description.conditioning) for row in part
            ]
            write_json(staging / f"{name}.json", documents)
    write_json(staging / "dataset_info.json", dataset_info([name for name in rows if rows[name]]))
    drop_leftovers(staging, {f"{name}.json" for name in rows if rows[name]})
    manifest = DatasetManifest(
        id=dataset_id,
        created_at=now(),
        source=description.source,
        status=description.status,
        conditioning=description.conditioning,
        styles=description.styles,
        counts=description.counts,
        rows={name: len(part) for name, part in rows.items()},
        files=tree_digests(staging),
        request=description.request,
        teacher=description.teacher,
    )
    volume.publish(target, manifest)
    return manifest


def write_json(path: Path, document: Any) -> None:
    """Write `document` as JSON that a person can read (made durable when published)."""
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def drop_leftovers(staging: Path, written: set[str]) -> None:
    """Remove what served the generation only: the plan, earlier turns, torn tails."""
    keep = KEPT | written | {"dataset_info.json"}
    for path in staging.iterdir():
        if path.name not in keep:
            path.unlink()
