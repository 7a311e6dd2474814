"""Tests of a local folder of vectors; the library is a stand-in, for it is not declared."""

import sys
import types
from pathlib import Path

import numpy as np
import pytest

from datagen.embedding_folder import EmbeddingsFolder
from kit.errors import InvalidInputError


class Library:
    """Stands in for sentence-transformers; notes how the model was loaded."""

    def __init__(self) -> None:
        self.loaded: list[dict[str, object]] = []
        self.failure: Exception | None = None

    def model(self, folder: str, **options: object) -> "Library":
        """Return the model in `folder`."""
        if self.failure:
            raise self.failure
        self.loaded.append({"folder": folder, **options})
        return self

    def encode(self, texts: list[str], *, show_progress_bar: bool) -> np.ndarray:
        """Return one vector for each text."""
        assert not show_progress_bar
        return np.array([[3.0, 4.0] for _ in texts])


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    """The library, as if it were installed."""
    found, module = Library(), types.ModuleType("sentence_transformers")
    module.SentenceTransformer = found.model  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sentence_transformers", module)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that looks like a model."""
    (tmp_path / "modules.json").write_text("[]")
    return tmp_path


async def test_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    """The message names the setting and what the folder must hold."""
    with pytest.raises(InvalidInputError, match="EMBEDDINGS_FOLDER") as raised:
        await EmbeddingsFolder(tmp_path).embed(["a"])
    assert "modules.json" in str(raised.value.body.hint)


async def test_missing_library_is_an_error_that_says_how_to_install_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library is only looked for when a folder is configured."""
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(InvalidInputError, match="not installed") as raised:
        await EmbeddingsFolder(folder).embed(["a"])
    assert "pip install 'tonesmith-datagen[embeddings]'" in str(raised.value.body.hint)


async def test_folder_is_loaded_once_and_without_the_network(
    folder: Path, library: Library
) -> None:
    """The model comes from the folder alone, and no code that lies in it is run."""
    model = EmbeddingsFolder(folder)
    assert await model.embed(["a", "b"]) == [[3.0, 4.0], [3.0, 4.0]]
    await model.embed(["c"])
    assert library.loaded == [
        {"folder": str(folder), "local_files_only": True, "trust_remote_code": False}
    ]
    await model.close()


async def test_folder_that_cannot_be_loaded_is_named(folder: Path, library: Library) -> None:
    """The library's own words stay in the message."""
    library.failure = OSError("no weights here")
    with pytest.raises(InvalidInputError, match="cannot be loaded: no weights here"):
        await EmbeddingsFolder(folder).embed(["a"])


def test_changed_folder_makes_other_vectors(folder: Path) -> None:
    """What was kept of the model before is not taken for the new one's."""
    model = EmbeddingsFolder(folder)
    before = model.maker
    assert EmbeddingsFolder(folder).maker == before
    (folder / "model.safetensors").write_bytes(b"weights")
    assert model.maker != before
