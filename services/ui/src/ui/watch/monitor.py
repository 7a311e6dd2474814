"""What the Monitor tab shows: asked all at once, shared by every page for a moment."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from contracts.gpu import GpuReport
from contracts.identity import now
from kit.config import SettingsError
from ui.drain import Drain
from ui.errors import ProblemError
from ui.kept.keeping import Keeping, Store
from ui.training.source import Training, TrainingSource
from ui.upstream.backend import Backend
from ui.watch.alarms import Alarms, alarms
from ui.watch.health import LIMIT_SECONDS, Health, health_of_all

# However many pages are open, and however often their readers press the button.
FRESH_SECONDS = 1.0


@dataclass(frozen=True)
class Watched:
    """Everything at one moment.

    `gpus` is None where the trainer does not tell, `store` where the page cannot read its own.
    """

    at: datetime
    health: tuple[Health, ...] = ()
    gpus: GpuReport | None = None
    training: Training = Training()
    alarms: Alarms = Alarms()
    store: Store | None = None


class MonitorSource:
    """Asks the services how they are.

    Args:
        backend: the services.
        drain: knows how the page itself is.
        clock: monotonic seconds.
        kept: what the page itself keeps.
    """

    def __init__(
        self,
        backend: Backend,
        drain: Drain,
        clock: Callable[[], float] = time.monotonic,
        kept: Keeping | None = None,
    ) -> None:
        self.kept = kept
        self.backend = backend
        self.drain = drain
        self._training = TrainingSource(backend, clock)
        self._clock = clock
        self._found: tuple[float, Watched] = (float("-inf"), Watched(now()))
        self._lock = asyncio.Lock()

    async def watched(self) -> Watched:
        """Return how everything is; never raises, and takes two seconds at most."""
        async with self._lock:
            at, known = self._found
            if self._clock() - at < FRESH_SECONDS:
                return known
            health, gpus, training, raised, store = await asyncio.gather(
                health_of_all(self.backend, self.drain),
                self._gpus(),
                self._runs(),
                alarms(self.backend.http, self.backend.settings.prometheus_inner),
                self._store(),
            )
            found = Watched(now(), health, gpus, training, raised, store)
            self._found = (self._clock(), found)
            return found

    async def _gpus(self) -> GpuReport | None:
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                return await self.backend.trainer.gpus()
        except (ProblemError, TimeoutError):
            return None

    async def _store(self) -> Store | None:
        if self.kept is None:
            return None
        try:
            return await asyncio.to_thread(self.kept.store)
        except (OSError, sqlite3.Error, SettingsError):
            return None

    async def _runs(self) -> Training:
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                return await self._training.training("")
        except TimeoutError:
            return Training()
