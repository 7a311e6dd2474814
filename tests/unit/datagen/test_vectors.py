"""Tests of texts as vectors: n-grams, and those of a model, each text asked for once."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from datagen.errors import EmbeddingsSetupError
from datagen.vector_cache import FILE, VectorCache
from datagen.vectors import EmbeddedVectors, NgramVectors
from kit.errors import UnavailableError


class Model:
    """A model that answers with the length and the first letter of a text."""

    name = "fake-embedding"
    maker = "fake"
    texts_a_call = 8
    calls_at_once = 3

    def __init__(self, extra: int = 0) -> None:
        self.calls: list[list[str]] = []
        self.extra = extra

    @property
    def asked(self) -> int:
        """How many texts were asked for."""
        return sum(map(len, self.calls))

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector for each text."""
        self.calls.append(list(texts))
        return [[float(len(text)), float(ord(text[0])), *([1.0] * self.extra)] for text in texts]

    async def close(self) -> None:
        """Nothing is held."""


@pytest.fixture
def model() -> Model:
    """A model that counts its calls."""
    return Model()


@pytest.fixture
def cache(tmp_path: Path) -> VectorCache:
    """An empty cache."""
    return VectorCache(tmp_path)


@pytest.fixture
def vectors(model: Model, cache: VectorCache) -> EmbeddedVectors:
    """The model's vectors, kept in the cache."""
    return EmbeddedVectors(model, cache)


async def test_ngram_vectors_have_length_one_and_hear_the_tone() -> None:
    """The same particles are nearer than another tone about the same thing."""
    texts = [
        "哼，谁要帮你啦！快去喝水啦！",
        "哼，谁要理你啦！快去睡觉啦！",
        "亲爱的，先喝点温水吧，慢慢来就好。",
        "",
    ]
    matrix = await NgramVectors().matrix(texts)
    cosines = (matrix @ matrix.T).toarray()
    assert cosines[0, 0] == pytest.approx(1)
    assert cosines[3, 3] == 0
    assert cosines[0, 1] > cosines[0, 2]


async def test_model_is_asked_in_batches_and_rows_stay_with_their_texts(
    model: Model, vectors: EmbeddedVectors
) -> None:
    """No call is larger than the model takes; the same text twice is asked for once."""
    texts = [chr(97 + at % 26) * (1 + at % 7) for at in range(21)]
    matrix = await vectors.matrix([*texts, texts[3], "", "  "])
    assert sorted(map(len, model.calls)) == [5, 8, 8]
    wanted = np.array([[len(text), ord(text[0])] for text in [*texts, texts[3]]])
    assert np.allclose(matrix[:22], wanted / np.linalg.norm(wanted, axis=1, keepdims=True))
    assert not matrix[22:].any()


async def test_second_run_asks_for_what_is_new_only(model: Model, tmp_path: Path) -> None:
    """Also after a restart, and to the last bit the same."""
    first = EmbeddedVectors(model, VectorCache(tmp_path))
    before = await first.matrix(["a", "bb"])
    await first.close()
    after = await EmbeddedVectors(model, VectorCache(tmp_path)).matrix(["a", "bb", "ccc"])
    assert model.calls == [["a", "bb"], ["ccc"]]
    assert (after[:2] == before).all()


async def test_what_was_made_before_a_failure_is_kept(
    model: Model, vectors: EmbeddedVectors
) -> None:
    """The error is that of the model; the next try asks for the rest."""
    answer = model.embed
    model.calls_at_once = 1

    async def failing(texts: Sequence[str]) -> list[list[float]]:
        if len(model.calls) == 2:
            raise UnavailableError("the model is away")
        return await answer(texts)

    model.embed = failing  # type: ignore[method-assign]
    texts = [f"{at:02d}" for at in range(24)]
    with pytest.raises(UnavailableError, match="away"):
        await vectors.matrix(texts)
    model.embed = answer  # type: ignore[method-assign]
    await vectors.matrix(texts)
    assert model.asked == 24


async def test_another_model_behind_the_same_name_voids_what_is_kept(
    cache: VectorCache, vectors: EmbeddedVectors
) -> None:
    """Its vectors have another length: all are asked for again, none are mixed."""
    await vectors.matrix(["a", "bb"])
    larger = Model(extra=2)
    again = EmbeddedVectors(larger, cache)
    assert (await again.matrix(["a", "bb", "ccc"])).shape == (3, 4)
    assert (await again.matrix(["a", "bb", "ccc"])).shape == (3, 4)
    assert larger.calls == [["ccc"], ["a", "bb", "ccc"]]


@pytest.mark.parametrize(
    "answer", [[[1.0]], [[1.0], [1.0, 2.0]], [[1.0], [float("nan")]], [[], []], [["x"], ["y"]]]
)
async def test_model_that_answers_otherwise_is_a_setup_error(
    answer: list[list[float]], cache: VectorCache
) -> None:
    """Too few, ragged, not finite, of no length, no numbers: the message names the model."""

    class Odd(Model):
        async def embed(self, texts: Sequence[str]) -> list[list[float]]:
            return answer

    with pytest.raises(EmbeddingsSetupError, match="fake-embedding"):
        await EmbeddedVectors(Odd(), cache).matrix(["a", "b"])


async def test_no_texts_need_no_call(model: Model, vectors: EmbeddedVectors) -> None:
    """An empty dataset asks nobody."""
    assert (await vectors.matrix([])).shape[0] == 0
    assert (await vectors.matrix([""])).shape == (1, 1)
    assert model.calls == []


def test_oldest_vectors_go_first(tmp_path: Path) -> None:
    """The cache does not grow without end."""
    cache = VectorCache(tmp_path, most=3)
    for number in range(5):
        cache.write("m", {f"{number}": np.array([number, 1], np.float32)})
    assert sorted(cache.read("m", [str(n) for n in range(5)])) == ["2", "3", "4"]
    assert cache.read("another", ["4"]) == {}
    cache.close()


def test_broken_cache_is_begun_anew(tmp_path: Path) -> None:
    """It holds nothing that cannot be made again."""
    (tmp_path / FILE).write_bytes(b"no database " * 1000)
    cache = VectorCache(tmp_path)
    cache.write("m", {"a": np.array([1, 0], np.float32)})
    assert list(cache.read("m", ["a"])) == ["a"]
    cache.close()
