"""Tests of the quality of published datasets, over HTTP too."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from contracts.dataset import ImportRequest
from contracts.quality import Thresholds
from contracts.style import Language
from contracts.volume import Volume
from datagen.importing import import_file
from datagen.quality import KEPT, Quality
from datagen.quality_api import quality_router
from datagen.questions import Bank
from datagen.services import Services
from datagen.vectors import Matrix, NgramVectors
from kit.crisis import load_screens
from kit.errors import NotFoundError


class Counted(NgramVectors):
    """Vectors that count how often they are asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def matrix(self, texts) -> Matrix:  # type: ignore[no-untyped-def]
        """Return the vectors."""
        self.asked += 1
        return await super().matrix(texts)


def published(folder: Path, marker: str) -> str:
    """Import a small dataset of two styles and return its id."""
    lines = {"tsundere": "哼，谁要帮你啦！先{n}再说！", "gentle": "别怕，先{n}，慢慢来就好。"}
    rows = [
        {"user": f"{marker}{n}怎么办呢？", "assistant": line.format(n=n), "style": style}
        for style, line in lines.items()
        for n in ("喝口水", "睡一觉", "出门走走", "写下来", "给朋友打电话", "把桌子收拾好")
    ]
    rows.append({"user": "还有呢？", "assistant": "好", "style": "gentle"})
    result = import_file(folder, json.dumps(rows).encode(), ImportRequest())
    assert result.dataset_id is not None
    return result.dataset_id


@pytest.fixture
def vectors() -> Counted:
    """Vectors that count."""
    return Counted()


@pytest.fixture
def quality(
    volume: Volume, banks: dict[Language, Bank], shipped: Path, vectors: Counted
) -> Quality:
    """The quality of the datasets on an empty volume."""
    return Quality(volume, banks, load_screens(), vectors)


async def test_dataset_is_measured_once(quality: Quality, volume: Volume, vectors: Counted) -> None:
    """Report card, page and every move of a slider use the same figures."""
    name = published(volume.root, "太累了，")
    card = await quality.report(name, Thresholds())
    page = await quality.page(name, Thresholds())
    stricter = await quality.preview(name, Thresholds(shortest=15))
    assert vectors.asked == 1
    assert (card.dataset_id, card.rows) == (name, 12)
    assert name in page
    assert stricter.rows == 13
    assert stricter.changed > 0


async def test_row_refused_at_the_import_comes_back(quality: Quality, volume: Volume) -> None:
    """A looser threshold shows what would be kept."""
    found = await quality.preview(published(volume.root, "烦，"), Thresholds(shortest=1))
    assert sum(gate.kept for gate in found.gates) == 1


async def test_only_the_latest_datasets_are_kept_in_memory(
    quality: Quality, volume: Volume, vectors: Counted
) -> None:
    """The first of three is measured again when it is asked for again."""
    names = [published(volume.root, f"第{n}天，") for n in range(KEPT + 1)]
    for name in [*names, names[-1], names[0]]:
        await quality.measured(name)
    assert vectors.asked == KEPT + 2


@pytest.mark.parametrize("name", ["nothing-here", "../../etc", "UPPER"])
async def test_unknown_dataset_is_not_found(quality: Quality, name: str) -> None:
    """The message says where datasets are listed."""
    with pytest.raises(NotFoundError, match="no published dataset"):
        await quality.report(name, Thresholds())


@pytest.fixture
def client(services: Services) -> Iterator[TestClient]:
    """The routes alone."""
    app = FastAPI()
    app.include_router(quality_router(services))
    with TestClient(app) as client:
        yield client


def test_routes_answer(client: TestClient, services: Services) -> None:
    """JSON, HTML and a preview; a threshold out of range is refused with its field."""
    name = published(services.volume.root, "太累了，")
    assert client.get(f"/datasets/{name}/report-card").json()["rows"] == 12
    assert "<!doctype html>" in client.get(f"/datasets/{name}/report-card.html").text
    found = client.post(f"/datasets/{name}/preview", json={"shortest": 30}).json()
    assert found["kept_then"] < found["kept_now"]
    assert client.post(f"/datasets/{name}/preview", json={"echo": 7}).status_code == 422
