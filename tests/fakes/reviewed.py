"""Datasets that the tests of reviews, versions and votes work on."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from contracts.dataset import Conditioning, Counts
from contracts.review import ReviewQuery
from contracts.sample import Rejected, RejectReason, Sample, Turn
from contracts.style import StyleVersion
from contracts.volume import Volume
from datagen.app import create_app
from datagen.config import Settings
from datagen.journals import REJECTED, SAMPLES, write_lines
from datagen.publish import Description, publish_dataset
from datagen.review import ReviewDesk
from fakes.styled_dataset import STYLES, samples

FIRST = "made-20260101-0000aa"
REASONS = (RejectReason.OFF_STYLE, RejectReason.TOO_SHORT, RejectReason.MALFORMED)
# What was said before the first refused row.
EARLIER = (Turn(user="今天好累。", assistant="哼，谁让你熬夜啦！"),)


def refused_rows() -> list[Rejected]:
    """Return three refused rows, one for each of REASONS; the first stands in a dialogue."""
    replies = ("先歇一会儿，再慢慢想办法，总会好起来的。", "嗯。", "")
    return [
        Rejected(
            slot=f"tsundere/{number:05d}",
            style="tsundere",
            attempt=1,
            question=f"今天第{number}次觉得很累，怎么办？",
            reply=reply,
            reason=reason,
            detail="planted",
            turn=0 if number else len(EARLIER),
            history=[] if number else list(EARLIER),
        )
        for number, (reason, reply) in enumerate(zip(REASONS, replies, strict=True))
    ]


def publish_first(
    volume: Volume,
    *,
    per_style: int = 10,
    rows: list[Sample] | None = None,
    conditioning: Conditioning = Conditioning.SYSTEM,
    dataset: str = FIRST,
) -> str:
    """Publish a dataset of four styles with three refused rows; return its id."""
    rows = samples(per_style) if rows is None else rows
    staging = volume.staging(volume.dataset(dataset))
    write_lines(staging / SAMPLES, [row.model_dump_json() for row in rows])
    write_lines(staging / REJECTED, [row.model_dump_json() for row in refused_rows()])
    description = Description(
        source="generated",
        status="complete",
        conditioning=conditioning,
        eval_ratio=0.2,
        seed=7,
        styles=[StyleVersion(version=1, style=style) for style in STYLES.values()],
        counts=Counts(asked=len(rows), accepted=len(rows)),
        request={"seed": 7},
        teacher="scripted",
    )
    publish_dataset(volume, dataset, rows, description)
    return dataset


@contextmanager
def reviewing(settings: Settings, **options: Any) -> Iterator[tuple[TestClient, str]]:
    """Run the service over a published dataset; yield its client and the dataset's id."""
    dataset = publish_first(Volume(settings.data_dir.absolute()), **options)
    with TestClient(create_app(settings)) as client:
        yield client, dataset


def numbers(desk: ReviewDesk, **wanted: Any) -> list[int]:
    """Return the numbers of the rows that match, in the order of the page."""
    query = ReviewQuery.model_validate(wanted | {"limit": 500})
    page = desk.page(FIRST, query)
    assert page.total == len(page.rows)
    return [row.number for row in page.rows]


def lf_rows(folder: Path, *splits: str) -> list[dict[str, Any]]:
    """Return rows as LLaMA-Factory's alpaca converter reads them, by `dataset_info.json`.

    Every column must be there and of the type that the converter takes; a row without a prompt or
    a reply, which it would drop, fails.
    """
    info = json.loads((folder / "dataset_info.json").read_text(encoding="utf-8"))
    found = []
    for split in splits:
        about = info[split]
        assert about["formatting"] == "alpaca"
        for row in json.loads((folder / about["file_name"]).read_text(encoding="utf-8")):
            read = {name: row[column] for name, column in about["columns"].items()}
            check_row(read, ranking=about.get("ranking", False))
            ours = ("match", "source", "chosen_by", "rejected_by")
            found.append(read | {name: row.get(name) for name in ours})
    return found


def check_row(row: dict[str, Any], *, ranking: bool) -> None:
    """Assert that the converter keeps the row whole."""
    wanted = ("chosen", "rejected") if ranking else ("response",)
    assert isinstance(row["prompt"], str)
    assert row["prompt"]
    assert isinstance(row["system"], str)
    assert row["query"] == ""
    assert all(isinstance(row[name], str) and row[name] for name in wanted)
    assert not ranking or row["chosen"] != row["rejected"]
    for turn in row["history"]:
        assert len(turn) == 2
        assert all(isinstance(text, str) and text for text in turn)
