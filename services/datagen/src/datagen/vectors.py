"""Texts as vectors of length 1.

`NgramVectors` works offline and is the default; `EmbeddedVectors` are those of a model: any
OpenAI-compatible endpoint, or a local sentence-transformers folder.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from datagen.errors import EmbeddingsSetupError
from datagen.vector_cache import Vector, VectorCache
from kit.errors import TonesmithError

# Rows by columns, sparse (scipy) or dense (numpy); both know `@`, slicing and `.T`.
Matrix = Any
NGRAMS = (1, 3)
BUCKETS = 1 << 18


class Vectors(Protocol):
    """Turns texts into vectors."""

    name: str

    async def matrix(self, texts: Sequence[str]) -> Matrix:
        """Return one row of length 1 (0 for an empty text) for each of `texts`, in order.

        Vectors of one call may be compared with each other only.
        """

    async def close(self) -> None:
        """Give back what they hold."""


class Embeddings(Protocol):
    """Makes vectors: an endpoint (`embeddings.py`) or a local folder (`embedding_folder.py`)."""

    name: str
    texts_a_call: int
    calls_at_once: int

    @property
    def maker(self) -> str:
        """What tells its vectors from those of any other model."""

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector for each text, in order; no text is empty."""

    async def close(self) -> None:
        """Give connections or memory back."""


class NgramVectors:
    """Hashed character n-grams, weighted by how rare they are among the texts of the call.

    Hears words, particles, emoji and punctuation; knows nothing of meaning.
    """

    name = "character n-grams"

    async def matrix(self, texts: Sequence[str]) -> Matrix:
        """Return the sparse vectors of `texts`."""
        return await asyncio.to_thread(ngram_matrix, texts)

    async def close(self) -> None:
        """Nothing is held."""


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


class EmbeddedVectors:
    """Vectors of a model, each text asked for once and then kept.

    Args:
        embeddings: the model.
        cache: where vectors are kept as they come, so that a failure half-way costs little.
    """

    def __init__(self, embeddings: Embeddings, cache: VectorCache) -> None:
        self.embeddings = embeddings
        self.cache = cache
        self.name = embeddings.name

    async def matrix(self, texts: Sequence[str]) -> Matrix:
        """Return the vectors of `texts`.

        Raises:
            EmbeddingsSetupError: the model answers with something else than vectors.
            TonesmithError: what the model's client raises.
        """
        wanted = list(dict.fromkeys(text for text in texts if text.strip()))
        maker = await asyncio.to_thread(lambda: self.embeddings.maker)
        known = await asyncio.to_thread(self.cache.read, maker, wanted)
        known |= await self._made(maker, [text for text in wanted if text not in known])
        if len(widths(known)) > 1:  # another model behind the same name: the old ones are void
            known = await self._made(maker, wanted)
        if len(widths(known)) > 1:
            raise EmbeddingsSetupError(f"{self.name} answers with vectors of several lengths")
        found = np.zeros((len(texts), max(widths(known), default=1)), np.float32)
        for at, text in enumerate(texts):
            if text in known:
                found[at] = known[text]
        return found

    async def close(self) -> None:
        """Give connections or memory back, and close the cache."""
        await self.embeddings.close()
        await asyncio.to_thread(self.cache.close)

    async def _made(self, maker: str, texts: Sequence[str]) -> dict[str, Vector]:
        """Return new vectors, a few calls at once; each call's are kept as it ends."""
        gate = asyncio.Semaphore(self.embeddings.calls_at_once)
        found: dict[str, Vector] = {}

        async def ask(part: Sequence[str]) -> None:
            async with gate:
                answer = await self.embeddings.embed(part)
                rows = dict(zip(part, unit(checked(answer, len(part), self.name)), strict=True))
                await asyncio.to_thread(self.cache.write, maker, rows)
                found.update(rows)

        size = self.embeddings.texts_a_call
        try:
            async with asyncio.TaskGroup() as group:
                for at in range(0, len(texts), size):
                    group.create_task(ask(texts[at : at + size]))
        except* TonesmithError as errors:
            raise first_error(errors) from errors
        return found


def widths(vectors: Mapping[str, Vector]) -> set[int]:
    """Return the lengths of `vectors`."""
    return {len(vector) for vector in vectors.values()}


def first_error(errors: BaseExceptionGroup[TonesmithError]) -> TonesmithError:
    """Return the first of the errors of calls that were made at once."""
    first = errors.exceptions[0]
    return first_error(first) if isinstance(first, BaseExceptionGroup) else first


def checked(found: list[list[float]], count: int, name: str) -> Matrix:
    """Return what a model answered as a matrix. Raises EmbeddingsSetupError where it is none."""
    hint = "EMBEDDINGS_MODEL must be a model for embeddings"
    if len(found) != count:
        said = f"{name} answers {len(found)} vectors for {count} texts"
        raise EmbeddingsSetupError(said, hint=hint)
    try:
        matrix = np.array(found, np.float32)
    except (ValueError, TypeError, OverflowError) as error:
        raise EmbeddingsSetupError(f"{name} answers with no vectors", hint=hint) from error
    if matrix.ndim != 2 or not matrix.size or not np.isfinite(matrix).all():
        raise EmbeddingsSetupError(f"{name} answers with no usable vectors", hint=hint)
    return matrix


def unit(matrix: Matrix) -> Matrix:
    """Return the rows of a dense matrix at length 1; a row of zeros stays."""
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return matrix / np.where(lengths == 0, 1, lengths)
