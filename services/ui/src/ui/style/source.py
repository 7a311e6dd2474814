"""The library of styles as the page knows it, and what was made of each; shared by all pages."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from contracts.style import StyleVersion
from ui.errors import ProblemError
from ui.upstream.backend import Backend
from ui.upstream.fresh import Fresh
from ui.upstream.style_calls import Artefact

FRESH_SECONDS = 1.0
# Which models and datasets there are changes seldom, and their manifests are long.
USES_SECONDS = 20.0
USES_SHOWN = 50
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Use:
    """Something that was made of a style."""

    kind: Literal["dataset", "model"]
    id: str
    version: int
    at: str


@dataclass(frozen=True)
class Library:
    """What there is.

    Attributes:
        styles: in their newest versions; as last known while datagen does not answer, and None
            if they never were.
        archived: those that were put away.
        uses: by style, the newest first; None where neither datasets nor models are known.
        problem: why datagen does not tell.
    """

    styles: tuple[StyleVersion, ...] | None = None
    archived: tuple[StyleVersion, ...] = ()
    uses: dict[str, list[Use]] | None = field(default=None)
    problem: ProblemError | None = None

    @property
    def everything(self) -> tuple[StyleVersion, ...]:
        """All styles, offered or put away."""
        return (*(self.styles or ()), *self.archived)

    def find(self, style_id: str) -> StyleVersion | None:
        """Return a style in its newest version."""
        return next((one for one in self.everything if one.style.id == style_id), None)

    def is_archived(self, style_id: str) -> bool:
        """Return whether a style was put away."""
        return any(one.style.id == style_id for one in self.archived)

    @property
    def ids(self) -> set[str]:
        """Every id that is taken."""
        return {one.style.id for one in self.everything}


class LibrarySource:
    """Asks datagen at most once a second, however many pages are open.

    Args:
        backend: the services.
        clock: monotonic seconds.
    """

    def __init__(self, backend: Backend, clock: Callable[[], float] = time.monotonic) -> None:
        self._backend = backend
        self._clock = clock
        self._uses_at = float("-inf")
        self._fresh = Fresh(self._ask, Library(), lambda _: FRESH_SECONDS, clock)

    async def library(self) -> Library:
        """Return what there is; never raises."""
        return await self._fresh.now()

    def stale(self) -> None:
        """Ask again at the next look: this page has just changed something."""
        self._fresh.stale()

    async def _ask(self) -> Library:
        before = self._fresh.latest
        uses = before.uses
        if self._clock() - self._uses_at >= USES_SECONDS:
            uses = await self._uses()
            self._uses_at = self._clock()
        try:
            styles, archived = await asyncio.gather(
                self._backend.styles.library(), self._backend.styles.archived()
            )
        except ProblemError as problem:
            self._uses_at = float("-inf")
            return Library(before.styles, before.archived, uses or before.uses, problem)
        known = {one.style.id for one in styles}  # a datagen of before lists them all
        away = tuple(one for one in archived if one.style.id not in known)
        return Library(tuple(styles), away, uses)

    async def _uses(self) -> dict[str, list[Use]] | None:
        trainer = self._backend.trainer.calls
        datasets, models = await asyncio.gather(
            answer_or_none(self._backend.styles.datasets()),
            answer_or_none(trainer.get("/models", list[Artefact])),
        )
        if datasets is None and models is None:
            return None
        found = [
            *(("dataset", one) for one in datasets or []),
            *(("model", one) for one in models or []),
        ]
        return by_style(found)  # type: ignore[arg-type]


def by_style(
    found: list[tuple[Literal["dataset", "model"], Artefact]],
) -> dict[str, list[Use]]:
    """Return what was made of each style, the newest first."""
    uses: dict[str, list[Use]] = {}
    for kind, made in sorted(found, key=lambda pair: pair[1].created_at, reverse=True):
        for used in made.styles:
            at = made.created_at.strftime("%Y-%m-%d")
            uses.setdefault(used.style.id, []).append(Use(kind, made.id, used.version, at))
    return uses


async def answer_or_none(asked: Awaitable[Answer]) -> Answer | None:
    """Return an answer, or None where there is none."""
    try:
        return await asked
    except ProblemError:
        return None
