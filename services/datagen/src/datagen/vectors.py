"""Texts as vectors of length 1, from one of three places.

`NgramVectors` works offline and is the default; `EndpointVectors` asks any OpenAI-compatible
endpoint; `FolderVectors` loads a local sentence-transformers folder, if that extra is installed.
"""

import asyncio
import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from datagen.errors import TeacherSetupError
from kit.errors import InvalidInputError, TonesmithError

# Rows by columns, sparse (scipy) or dense (numpy); both know `@`, slicing and `.T`.
Matrix = Any
NGRAMS = (1, 3)
BUCKETS = 1 << 18
# Endpoints refuse larger requests sooner or later; OpenAI's own limit is 2,048 texts.
TEXTS_A_CALL = 64
CALLS_AT_ONCE = 8


class Vectors(Protocol):
    """Turns texts into vectors."""

    name: str

    async def matrix(self, texts: Sequence[str]) -> Matrix:
        """Return one row of length 1 (0 for an empty text) for each of `texts`, in order.

        Vectors of one call may be compared with each other only.
        """


class Embeddings(Protocol):
    """An endpoint's `/embeddings`; `teacher.py` has the real one."""

    model: str

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector for each text, in order. Raises the errors of `asking.py`."""


class NgramVectors:
    """Hashed character n-grams, weighted by how rare they are among the texts of the call.

    Hears words, particles, emoji and punctuation; knows nothing of meaning.
    """

    name = "character n-grams"

    async def matrix(self, texts: Sequence[str]) -> Matrix:
        """Return the sparse vectors of `texts`."""
        return await asyncio.to_thread(ngram_matrix, texts)


def ngram_matrix(texts: Sequence[str]) -> Matrix:
    """Return the weighted n-grams of `texts` as a sparse matrix of 262,144 columns."""
    # Imported here: scikit-learn takes over a second to import.
    from sklearn.feature_extraction.text import (  # type: ignore[import-untyped]
        HashingVectorizer,
        TfidfTransformer,
    )

    hashing = HashingVectorizer(
        analyzer="char",
        ngram_range=NGRAMS,
        n_features=BUCKETS,
        alternate_sign=False,
        norm=None,
        dtype=np.float32,
    )
    return TfidfTransformer(sublinear_tf=True).fit_transform(hashing.transform(texts))


class EndpointVectors:
    """Vectors of an embeddings endpoint.

    Args:
        embeddings: the endpoint's client.
    """

    def __init__(self, embeddings: Embeddings) -> None:
        self.embeddings = embeddings
        self.name = embeddings.model

    async def matrix(self, texts: Sequence[str]) -> Matrix:
        """Return the vectors of `texts`, a few calls at once.

        Raises:
            TeacherSetupError: the endpoint answers with something else than vectors.
            TonesmithError: what the endpoint's client raises.
        """
        gate = asyncio.Semaphore(CALLS_AT_ONCE)

        async def ask(part: Sequence[str]) -> Matrix:
            async with gate:
                return checked(await self.embeddings.embed(part), len(part), self.name)

        parts = [texts[at : at + TEXTS_A_CALL] for at in range(0, len(texts), TEXTS_A_CALL)]
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(ask(part)) for part in parts]
        except* TonesmithError as errors:
            raise first_error(errors) from errors
        found = [task.result() for task in tasks]
        if len({part.shape[1] for part in found}) > 1:
            raise TeacherSetupError(f"{self.name} answers with vectors of several lengths")
        return unit(np.concatenate(found)) if found else np.zeros((0, 1), np.float32)


def first_error(errors: BaseExceptionGroup[TonesmithError]) -> TonesmithError:
    """Return the first of the errors of calls that were made at once."""
    first = errors.exceptions[0]
    return first_error(first) if isinstance(first, BaseExceptionGroup) else first


def checked(found: list[list[float]], count: int, name: str) -> Matrix:
    """Return what an endpoint answered as a matrix. Raises TeacherSetupError where it is none."""
    hint = "EMBEDDINGS_MODEL must be a model for embeddings"
    if len(found) != count:
        raise TeacherSetupError(f"{name} answers {len(found)} vectors for {count} texts", hint=hint)
    try:
        matrix = np.array(found, np.float32)
    except (ValueError, TypeError) as error:
        raise TeacherSetupError(f"{name} answers with no vectors", hint=hint) from error
    if matrix.ndim != 2 or not np.isfinite(matrix).all():
        raise TeacherSetupError(f"{name} answers with no usable vectors", hint=hint)
    return matrix


def unit(matrix: Matrix) -> Matrix:
    """Return the rows of a dense matrix at length 1; a row of zeros stays."""
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return matrix / np.where(lengths == 0, 1, lengths)


class FolderVectors:
    """Vectors of a sentence-transformers model in a local folder; nothing is downloaded.

    Args:
        folder: holds the model.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.name

    async def matrix(self, texts: Sequence[str]) -> Matrix:
        """Return the vectors of `texts`.

        Raises InvalidInputError where the folder or the library is missing.
        """
        return await asyncio.to_thread(self._matrix, texts)

    def _matrix(self, texts: Sequence[str]) -> Matrix:
        if not (self.folder / "modules.json").is_file():
            raise InvalidInputError(
                "the folder of vectors holds no sentence-transformers model",
                field="embeddings_folder",
                hint="DATAGEN_EMBEDDINGS_FOLDER must hold modules.json",
            )
        try:
            # Not declared: the library and its models come with an operator's own choice.
            library = importlib.import_module("sentence_transformers")
        except ImportError as error:
            raise InvalidInputError(
                "sentence-transformers is not installed",
                field="embeddings_folder",
                hint="install tonesmith-datagen[embeddings], or unset DATAGEN_EMBEDDINGS_FOLDER",
            ) from error
        model = library.SentenceTransformer(
            str(self.folder), local_files_only=True, trust_remote_code=False
        )
        return unit(np.asarray(model.encode(list(texts)), np.float32))
