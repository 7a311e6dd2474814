"""The datasets that there are: asked now and then, however many pages are open."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from contracts.dataset import DatasetManifest
from ui.errors import ProblemError
from ui.upstream.dataset_calls import DatasetCalls
from ui.upstream.fresh import Fresh

# A picker with more is no longer looked through; the one that was picked stays in any case.
DATASETS_SHOWN = 60
FRESH_SECONDS = 5.0


@dataclass(frozen=True)
class Listed:
    """The newest datasets first; None where they were never told, and why they may be old."""

    datasets: tuple[DatasetManifest, ...] | None = None
    problem: ProblemError | None = None

    def find(self, dataset_id: object) -> DatasetManifest | None:
        """Return the dataset of that id."""
        return next((one for one in self.datasets or () if one.id == dataset_id), None)

    def shown(self, picked: object) -> list[DatasetManifest]:
        """Return the newest ones, and the one that was picked."""
        newest = list((self.datasets or ())[:DATASETS_SHOWN])
        kept = self.find(picked)
        return newest if kept is None or kept in newest else [*newest, kept]


class DatasetList:
    """Asks datagen for its datasets.

    Args:
        calls: where they live.
        clock: monotonic seconds.
    """

    def __init__(self, calls: DatasetCalls, clock: Callable[[], float] = time.monotonic) -> None:
        self._calls = calls
        self._fresh = Fresh(self._ask, Listed(), lambda _: FRESH_SECONDS, clock)
        self._expected: frozenset[str] = frozenset()

    async def listed(self) -> Listed:
        """Return the datasets; never raises. While the service is away the last known stay."""
        return await self._fresh.now()

    def stale(self) -> None:
        """Ask again at the next look: there is a new dataset."""
        self._fresh.stale()

    def expect(self, made: frozenset[str]) -> bool:
        """Ask again at the next look, once, where jobs have made datasets that are not known.

        Return whether there are such.
        """
        unknown = made - self._expected - {one.id for one in self._fresh.latest.datasets or ()}
        if unknown:
            self.stale()
        self._expected = made
        return bool(unknown)

    async def _ask(self) -> Listed:
        try:
            return Listed(tuple(await self._calls.published()))
        except ProblemError as problem:
            return Listed(self._fresh.latest.datasets, problem)
