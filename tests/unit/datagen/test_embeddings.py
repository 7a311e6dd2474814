"""Tests of the embeddings endpoint against a fake one, and of the choice by settings."""

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from contracts.quality import Thresholds
from contracts.sample import RejectReason
from contracts.style import Language, Style
from datagen.config import Settings
from datagen.embedding_folder import EmbeddingsFolder
from datagen.embeddings import TRIES, EmbeddingsEndpoint, open_vectors
from datagen.errors import EmbeddingsSetupError
from datagen.judging import judge
from datagen.library import read_card
from datagen.measured import measure
from datagen.questions import Bank
from datagen.vector_cache import VectorCache
from datagen.vectors import EmbeddedVectors, NgramVectors
from fakes.embeddings_server import MODEL, EmbeddingsServer
from fakes.measured_rows import good_rows
from kit.config import SettingsError
from kit.crisis import load_screens
from kit.errors import UnavailableError


class Asked:
    """An endpoint over a fake server; nobody really waits."""

    def __init__(self, **server: Any) -> None:
        self.server = EmbeddingsServer(**server)
        self.waits: list[float] = []
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.server),
            base_url="http://fake/v1/",
            headers={"Authorization": "Bearer right"},
        )
        self.endpoint = EmbeddingsEndpoint(
            self.http, MODEL, sleep=self.sleep, chance=random.Random(1)
        )

    async def sleep(self, seconds: float) -> None:
        """Note a wait."""
        self.waits.append(seconds)


async def test_vectors_come_in_the_order_of_the_texts() -> None:
    """Whatever order the answer has."""
    asked = Asked(key="right")
    texts = ["first", "another", "third"]
    found = await asked.endpoint.embed(texts)
    assert found == [asked.server.vector(text) for text in texts]
    await asked.endpoint.close()


async def test_busy_endpoint_is_asked_again() -> None:
    """Throttled, broken and garbled answers pass by."""
    asked = Asked(failures=[429, 503, 500])
    assert len(await asked.endpoint.embed(["a"])) == 1
    assert len(asked.waits) == 3
    await asked.endpoint.close()


async def test_endpoint_that_stays_away_is_unavailable() -> None:
    """After six tries, with what is kept and the way out."""
    asked = Asked(failures=[503] * TRIES)
    with pytest.raises(UnavailableError, match="HTTP 503, 6 tries") as raised:
        await asked.endpoint.embed(["a"])
    assert "EMBEDDINGS_BASE_URL" in str(raised.value.body.hint)
    await asked.endpoint.close()


async def test_too_many_texts_are_divided_and_the_number_is_remembered() -> None:
    """An endpoint that takes ten at once is found out once."""
    asked = Asked(most=10)
    texts = [f"text {number}" for number in range(64)]
    assert len(await asked.endpoint.embed(texts)) == 64
    assert asked.server.texts == texts
    assert asked.endpoint.most == 8
    before = len(asked.server.calls)
    await asked.endpoint.embed(texts)
    assert [len(call) for call in asked.server.calls[before:]] == [8] * 8
    await asked.endpoint.close()


async def test_text_that_is_too_long_counts_by_its_beginning() -> None:
    """The others come as they are, and as many at once as before."""
    asked = Asked(longest=1000)
    found = await asked.endpoint.embed(["short", "x" * 3000, "end"])
    assert len(found) == 3
    assert found[0] == asked.server.vector("short")
    assert found[1] == asked.server.vector("x" * 750)
    assert asked.endpoint.most == asked.endpoint.texts_a_call
    await asked.endpoint.close()


@pytest.mark.parametrize(
    ("server", "said"),
    [
        ({"key": "another"}, "HTTP 401: wrong key"),
        ({"failures": [404]}, "HTTP 404"),
        ({"failures": [302]}, "HTTP 302"),
        ({"longest": 0}, "HTTP 400: 1 to 0 characters"),
        ({"failures": [0]}, "no embeddings"),
    ],
)
async def test_what_no_waiting_mends_is_a_setup_error(server: dict[str, Any], said: str) -> None:
    """Key, model, address, texts of any length refused, no vectors: named, with the settings."""
    asked = Asked(**server)
    with pytest.raises(EmbeddingsSetupError, match=said) as raised:
        await asked.endpoint.embed(["a"])
    assert "EMBEDDINGS_MODEL" in str(raised.value.body.hint)
    await asked.endpoint.close()


@pytest.fixture
async def embedded(tmp_path: Path) -> AsyncIterator[tuple[EmbeddedVectors, EmbeddingsServer]]:
    """The vectors of a fake endpoint, with a cache, and the server."""
    asked = Asked()
    vectors = EmbeddedVectors(asked.endpoint, VectorCache(tmp_path))
    yield vectors, asked.server
    await vectors.close()


async def test_gates_of_tone_work_on_an_endpoints_vectors(
    embedded: tuple[EmbeddedVectors, EmbeddingsServer],
    banks: dict[Language, Bank],
    shipped: Path,
) -> None:
    """A row under another style's name is found; a second measurement asks for nothing."""
    names = ("tsundere", "gentle")
    cards: dict[str, Style] = {
        name: read_card(shipped / "styles" / f"{name}.yaml") for name in names
    }
    rows = good_rows(cards, banks)
    rows[7] = replace(rows[7], style=rows[6].style)
    vectors, server = embedded
    screens = load_screens()
    measured = await measure(rows, cards, vectors, screens)
    asked = len(server.texts)
    again = await measure(rows, cards, vectors, screens)
    reasons = [{r.reason for r in judge(one, Thresholds())} for one in measured.figures]
    assert measured.vectors == MODEL
    assert asked == len(set(server.texts)) == len(server.texts)
    assert [one.contrast for one in again.figures] == [one.contrast for one in measured.figures]
    assert RejectReason.OTHER_STYLE in reasons[7]
    assert sum(RejectReason.OTHER_STYLE in found for found in reasons) <= 3


def test_settings_choose_the_vectors(tmp_path: Path) -> None:
    """N-grams by default, an endpoint, or a folder."""
    plain = Settings(state_dir=tmp_path)
    address = {"embeddings_base_url": "http://e/v1", "embeddings_model": "m"}
    endpoint = open_vectors(plain.model_copy(update=address))
    folder = open_vectors(plain.model_copy(update={"embeddings_folder": tmp_path / "model"}))
    assert isinstance(open_vectors(plain), NgramVectors)
    assert isinstance(endpoint, EmbeddedVectors)
    assert endpoint.embeddings.maker == "endpoint http://e/v1/ m"
    assert isinstance(folder, EmbeddedVectors)
    assert isinstance(folder.embeddings, EmbeddingsFolder)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "environ",
    [
        {"EMBEDDINGS_BASE_URL": "http://e/v1"},
        {"EMBEDDINGS_BASE_URL": "ftp://e", "EMBEDDINGS_MODEL": "m"},
        {
            "EMBEDDINGS_BASE_URL": "http://e/v1",
            "EMBEDDINGS_MODEL": "m",
            "EMBEDDINGS_FOLDER": "/models/m",
        },
    ],
)
def test_settings_that_contradict_are_named(environ: dict[str, str]) -> None:
    """The service does not start, and says which setting is wrong."""
    with pytest.raises(SettingsError, match="EMBEDDINGS_"):
        Settings.from_environ(environ)


async def test_endpoint_of_the_settings_sends_the_key(tmp_path: Path) -> None:
    """The key comes from its file."""
    (tmp_path / "key").write_text("right\n")
    settings = Settings(
        state_dir=tmp_path,
        embeddings_base_url="http://e/v1",
        embeddings_model=MODEL,
        embeddings_api_key_file=tmp_path / "key",
    )
    vectors = open_vectors(settings)
    assert isinstance(vectors, EmbeddedVectors)
    assert isinstance(vectors.embeddings, EmbeddingsEndpoint)
    assert vectors.embeddings.http.headers["authorization"] == "Bearer right"
    await vectors.close()
    assert np.isfinite(vectors.embeddings.most)


@pytest.mark.parametrize(
    ("status", "headers", "content", "error"),
    [
        (200, {}, b"[" * 100_000, EmbeddingsSetupError),
        (404, {}, b"[" * 100_000, EmbeddingsSetupError),
        (200, {"content-encoding": "gzip"}, b"no gzip", UnavailableError),
    ],
)
async def test_hostile_answer_is_an_error_of_ours(
    status: int, headers: dict[str, str], content: bytes, error: type[Exception]
) -> None:
    """Too deep for any reader of JSON, or not packed as it says."""
    asked = Asked()

    async def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(content), request=_)

    async with httpx.AsyncClient(
        transport=httpx.MockTransport(answer), base_url="http://fake/v1/"
    ) as http:
        asked.endpoint.http = http
        with pytest.raises(error):
            await asked.endpoint.embed(["a"])
    await asked.http.aclose()
