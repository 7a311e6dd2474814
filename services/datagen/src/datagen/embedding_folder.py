"""Vectors of a sentence-transformers model in a local folder; nothing is downloaded."""

import asyncio
import hashlib
import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kit.errors import InvalidInputError

MODULES = "modules.json"


class EmbeddingsFolder:
    """A model that is loaded at the first use and kept.

    Args:
        folder: holds the model.
    """

    texts_a_call = 256
    calls_at_once = 1

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.name
        self._model: Any = None

    @property
    def maker(self) -> str:
        """What tells these vectors from any others: names and sizes of the model's files."""
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        facts = [f"{path.relative_to(self.folder)} {path.stat().st_size}" for path in files]
        facts += [str(path.stat().st_mtime_ns) for path in files]
        return f"folder {hashlib.sha256(repr(facts).encode()).hexdigest()}"

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector for each text.

        Raises InvalidInputError where the folder or the library is missing.
        """
        return await asyncio.to_thread(self._embed, texts)

    async def close(self) -> None:
        """Give the model's memory back."""
        self._model = None

    def _embed(self, texts: Sequence[str]) -> list[list[float]]:
        if self._model is None:
            self._model = load(self.folder)
        found: list[list[float]] = self._model.encode(list(texts), show_progress_bar=False).tolist()
        return found


def load(folder: Path) -> Any:
    """Return the model in `folder`. Raises InvalidInputError where there is none, or no library."""
    if not (folder / MODULES).is_file():
        raise InvalidInputError(
            "EMBEDDINGS_FOLDER holds no sentence-transformers model",
            field="embeddings_folder",
            hint=f"it must hold {MODULES}; unset it to compare by character n-grams",
        )
    try:
        # Not declared: the library (with torch) and its models come with an operator's own choice.
        library = importlib.import_module("sentence_transformers")
    except ImportError as error:
        raise InvalidInputError(
            "EMBEDDINGS_FOLDER is set, but sentence-transformers is not installed",
            field="embeddings_folder",
            hint="pip install 'tonesmith-datagen[embeddings]', or unset EMBEDDINGS_FOLDER",
        ) from error
    try:
        return library.SentenceTransformer(
            str(folder), local_files_only=True, trust_remote_code=False
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise InvalidInputError(
            f"EMBEDDINGS_FOLDER cannot be loaded: {str(error)[:300]}",
            field="embeddings_folder",
            hint="the folder is as `SentenceTransformer.save` writes it",
        ) from error
