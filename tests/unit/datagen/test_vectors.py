"""Tests of texts as vectors, from n-grams, an endpoint and a folder."""

import sys
import types
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from datagen.errors import TeacherSetupError
from datagen.vectors import TEXTS_A_CALL, EndpointVectors, FolderVectors, NgramVectors
from kit.errors import InvalidInputError


class Endpoint:
    """An embeddings endpoint that answers with the length and the first letter of a text."""

    model = "fake-embedding"

    def __init__(self) -> None:
        self.calls: list[int] = []

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector for each text."""
        self.calls.append(len(texts))
        return [[float(len(text)), float(ord(text[0]))] for text in texts]


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


async def test_endpoint_is_asked_in_batches_and_answers_in_order() -> None:
    """No call is larger than endpoints take, and rows stay with their texts."""
    endpoint = Endpoint()
    texts = [chr(97 + at % 26) * (1 + at % 7) for at in range(TEXTS_A_CALL * 2 + 5)]
    matrix = await EndpointVectors(endpoint).matrix(texts)
    assert sorted(endpoint.calls) == [5, TEXTS_A_CALL, TEXTS_A_CALL]
    assert matrix.shape == (len(texts), 2)
    wanted = np.array([[len(text), ord(text[0])] for text in texts])
    assert np.allclose(matrix, wanted / np.linalg.norm(wanted, axis=1, keepdims=True))


@pytest.mark.parametrize(
    "answer", [[[1.0]], [[1.0], [1.0, 2.0]], [[1.0], [float("nan")]], [[], []][:1], [["x"], ["y"]]]
)
async def test_endpoint_that_answers_otherwise_is_a_setup_error(answer: list[list[float]]) -> None:
    """Too few, ragged, not finite, no numbers: the message names the model and the way out."""

    class Odd(Endpoint):
        async def embed(self, texts: Sequence[str]) -> list[list[float]]:
            return answer

    with pytest.raises(TeacherSetupError, match="fake-embedding"):
        await EndpointVectors(Odd()).matrix(["a", "b"])


async def test_no_texts_need_no_call() -> None:
    """An empty dataset asks nobody."""
    endpoint = Endpoint()
    assert (await EndpointVectors(endpoint).matrix([])).shape[0] == 0
    assert endpoint.calls == []


async def test_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    """The message names the setting."""
    with pytest.raises(InvalidInputError, match="sentence-transformers model"):
        await FolderVectors(tmp_path).matrix(["a"])


async def test_missing_library_is_an_error_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library is only looked for when a folder is configured."""
    (tmp_path / "modules.json").write_text("[]")
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(InvalidInputError, match="not installed"):
        await FolderVectors(tmp_path).matrix(["a"])


async def test_folder_is_loaded_without_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model comes from the folder alone, and no code that lies in it is run."""
    (tmp_path / "modules.json").write_text("[]")
    asked: dict[str, object] = {}

    class Model:
        def __init__(self, folder: str, **options: object) -> None:
            asked.update(options, folder=folder)

        def encode(self, texts: list[str]) -> list[list[float]]:
            return [[3.0, 4.0] for _ in texts]

    library = types.ModuleType("sentence_transformers")
    library.SentenceTransformer = Model  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sentence_transformers", library)
    matrix = await FolderVectors(tmp_path).matrix(["a", "b"])
    assert np.allclose(matrix, [[0.6, 0.8], [0.6, 0.8]])
    assert asked == {"folder": str(tmp_path), "local_files_only": True, "trust_remote_code": False}
