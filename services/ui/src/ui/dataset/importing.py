"""Reads files that people bring, and imports them once, however often it is clicked."""

import asyncio
import hashlib
import re
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from contracts.dataset import ImportPreview, ImportRequest
from contracts.question_set import QuestionImport
from ui.access.visitors import current_session, current_user
from ui.upstream.dataset_calls import DatasetCalls

ROWS, QUESTIONS = "rows", "questions"
# What was imported lately: a second click finds it here.
REMEMBERED = 64
NAME_LETTERS = 40


@dataclass(frozen=True)
class Brought:
    """A file that somebody brought.

    Attributes:
        path: where the page keeps it for a while.
        name: that it had.
        kind: `rows` or `questions`.
        preview: what its import would do; None where it cannot be read.
    """

    path: str
    name: str
    kind: str
    preview: ImportPreview | None = None


@dataclass(frozen=True)
class Imported:
    """What an import made: a dataset or a question set, with how many rows were kept and not."""

    made: str
    kind: str
    accepted: int
    rejected: int


class BadNameError(ValueError):
    """The name is none that a dataset may have."""


class FileGoneError(Exception):
    """The page no longer has the file."""


class Imports:
    """Asks datagen.

    Args:
        calls: where datasets are made.
    """

    def __init__(self, calls: DatasetCalls) -> None:
        self.calls = calls
        self._known: OrderedDict[str, asyncio.Task[Imported]] = OrderedDict()

    async def preview(self, brought: Brought) -> ImportPreview:
        """Return what an import would do. Raises ProblemError, FileGoneError."""
        content = await asyncio.to_thread(content_of, brought.path)
        if brought.kind == QUESTIONS:
            return await self.calls.preview_questions(content, QuestionImport())
        return await self.calls.preview_rows(content)

    async def take(self, brought: Brought, name: str, held_out: float) -> Imported:
        """Import a file; asked again for the same, return what was made of it before.

        Raises ProblemError, FileGoneError, BadNameError. What failed can be tried again.
        """
        options = options_of(brought.kind, name, held_out)
        content = await asyncio.to_thread(content_of, brought.path)
        digest = hashlib.sha256(content).hexdigest()
        key = f"{current_user()}/{current_session()}/{digest}/{options.model_dump_json()}"
        task = self._known.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            task = asyncio.create_task(self._import(content, brought.kind, options))
            self._known[key] = task
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        # Who goes away does not stop an import that another click waits for.
        return await asyncio.shield(task)

    async def _import(
        self, content: bytes, kind: str, options: ImportRequest | QuestionImport
    ) -> Imported:
        if isinstance(options, QuestionImport):
            made = await self.calls.import_questions(content, options)
            counts = made.counts
            return Imported(made.id, kind, counts.accepted, sum(counts.rejected.values()))
        result = await self.calls.import_rows(content, options)
        refused = sum(result.rejected.values())
        return Imported(result.dataset_id or "", kind, result.accepted, refused)


def options_of(kind: str, name: str, held_out: float) -> ImportRequest | QuestionImport:
    """Return the options of an import; `held_out` is a share. Raises BadNameError."""
    try:
        if kind == QUESTIONS:
            return QuestionImport(name=name, heldout_ratio=held_out)
        return ImportRequest(name=name, eval_ratio=held_out)
    except ValidationError as error:
        raise BadNameError(name) from error


def content_of(path: str) -> bytes:
    """Return what a file holds. Raises FileGoneError."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise FileGoneError(path) from error


def name_from(filename: str) -> str:
    """Return a name for a dataset, made of a file's name."""
    stem = re.sub(r"[^a-z0-9._-]+", "-", Path(filename).stem.lower()).strip("-._")
    return stem[:NAME_LETTERS].rstrip("-._") or "imported"
