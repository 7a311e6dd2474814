"""The launcher: keeps one vLLM running on the base that `models/current.json` names.

It waits until there is a model, starts the engine, restarts it when it dies or when the base
changes, hands adapters to `sync.py`, lends the GPU to a training run, and drains before it stops.
It outlives its child, so that its probes tell the truth at any time.
"""

import asyncio
import logging
import os
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from contracts.artefact import CurrentModel, ServingStatus
from contracts.lease import Lease, LeaseRequest
from contracts.run import EngineVersions
from contracts.volume import Volume
from kit.config import SettingsError
from kit.errors import TonesmithError, UnavailableError
from serving.backend import Backend
from serving.bases import Base, read_base
from serving.child import EngineChild
from serving.command import gate_file, write_command
from serving.config import ServingSettings
from serving.ending import end_engine
from serving.errors import EngineError
from serving.lease import LeaseLedger
from serving.metrics import ServingMetrics
from serving.stand_in import StandIn
from serving.sync import Loaded, Synchroniser

logger = logging.getLogger(__name__)
POLL_SECONDS = 0.5  # the promise of a promotion: visible within a second
BACKOFF_SECONDS = (1, 2, 4, 8, 15, 30)


class Launcher:
    """Runs the engine; `run` is its life, `drain` its end.

    Args:
        settings: of the service.
        metrics: what `/metrics` shows.
        environ: what may pass to the engine.
        clock: seconds that only grow.
        poll_seconds: how often `current.json` and the engine are looked at.
    """

    def __init__(
        self,
        settings: ServingSettings,
        metrics: ServingMetrics,
        *,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self.settings = settings
        self.metrics = metrics
        self.environ = environ
        self.clock = clock
        self.poll_seconds = poll_seconds
        self.volume = Volume(settings.data_dir)
        self.leases = LeaseLedger(clock, count=metrics.count_lease)
        self.stand_in = StandIn(settings.host, settings.port)
        self.state = "waiting"
        self.errors: dict[str, str] = {}
        self.engine = EngineVersions()
        self.base: Base | None = None
        self.child: EngineChild | None = None
        self.sync: Synchroniser | None = None
        self.failures = 0
        self.not_before = 0.0
        self.started_at = 0.0
        self.answered_at = 0.0
        self.ending = False
        self._task: asyncio.Task[None] | None = None
        self._stepping = asyncio.Lock()  # no engine starts while the GPU is given away

    def start(self) -> None:
        """Begin to run, in the background."""
        self._task = asyncio.create_task(self.run())

    @property
    def status(self) -> ServingStatus:
        """What is served, and what is not and why."""
        loaded = self.sync.loaded if self.sync else Loaded()
        return ServingStatus.model_validate(
            {
                "state": self.state,
                "base": self.base.name if self.base else "",
                "generation": max(loaded.generation, 0),
                "loaded": sorted(loaded.models),
                "aliases": loaded.aliases,
                "errors": self.errors | loaded.errors,
                "engine": self.engine,
                "lease": self.leases.held(),
            }
        )

    def reasons(self) -> list[str]:
        """Return why no request can be served now; empty means ready."""
        if lease := self.leases.held():
            return [f"lent to {lease.holder}"]
        return [] if self.state == "ready" else [self.errors.get("engine", self.state)]

    async def run(self) -> None:
        """Look at the document and the engine again and again, until cancelled."""
        while True:
            try:
                async with self._stepping:
                    await self.step()
            except EngineError as error:
                logger.warning("engine trouble", extra={"reason": error.body.message})
            self.show()
            await asyncio.sleep(self.poll_seconds)

    async def step(self) -> None:
        """Do what the moment asks for."""
        if self.leases.held():
            await self.lend()
            return
        if self.state == "lent":
            await self.take_back()
        current = self.read_current()
        if self.child and self.child.exited:
            await self.bury(self.child.reason)
        elif current is None:
            return
        elif self.child is None:
            if self.clock() >= self.not_before:
                await self.launch(current)
        elif self.base and current.base != self.base.name:
            logger.info("base changes", extra={"before": self.base.name, "base": current.base})
            await self.finish_engine()
            self.not_before = 0.0
        else:
            await self.tend(current)

    async def lend_to(self, request: LeaseRequest) -> Lease:
        """Return the lease: granted where no engine runs, else once it has ended.

        Raises LeaseHeldError, UnavailableError.
        """
        if self.ending:
            raise UnavailableError("serving stops", hint="ask again once it runs")
        lease = self.leases.take(request)
        if self.child is None and not self._stepping.locked():
            async with self._stepping:
                await self.lend()
        return self.leases.held() or lease

    async def lend(self) -> None:
        """Give the GPU away: no engine runs, and its port says why."""
        if self.child:
            await self.finish_engine()
        if self.state != "lent":
            self.state = "lent"
            self.errors.pop("engine", None)
            await self.stand_in.open()
        self.leases.grant()

    async def take_back(self) -> None:
        """Free the engine's port, and start the engine as soon as there is a model."""
        await self.stand_in.close()
        self.state = "waiting"
        self.not_before = 0.0

    def read_current(self) -> CurrentModel | None:
        """Return the document, or None where there is none that can be read."""
        try:
            current = self.volume.current_model()
        except (OSError, ValueError) as error:
            self.errors["current.json"] = str(error)[:500]
            return None
        self.errors.pop("current.json", None)
        return current

    async def launch(self, current: CurrentModel) -> None:
        """Start the engine on the document's base; a failure is tried again later."""
        self.state = "starting"
        try:
            self.base = await asyncio.to_thread(read_base, self.settings.models_dir, current.base)
            token = secrets.token_urlsafe(32)
            argv, env = write_command(self.settings, self.base, token, self.environ)
            self.child = await EngineChild.start(argv, env, self.settings.state_dir)
        except (TonesmithError, SettingsError, OSError) as error:
            self.fail(str(error))
            return
        self.metrics.starts.inc()
        self.started_at = self.answered_at = self.clock()
        backend = Backend(f"http://127.0.0.1:{self.settings.port}", token)
        self.sync = Synchroniser(self.settings, self.volume, self.base, backend, self.metrics)

    async def tend(self, current: CurrentModel) -> None:
        """Look after a running engine: is it well, and does it serve the newest document?"""
        if not self.sync:
            return
        if not await self.sync.backend.healthy():
            await self.doubt()
            return
        self.answered_at = self.clock()
        await self.sync.apply(current)
        found = await self.sync.backend.state()
        self.metrics.gate.snapshot = found
        self.engine = EngineVersions.model_validate(found["engine"])
        if self.state != "ready":
            self.become_ready()

    def become_ready(self) -> None:
        """Say so, once the engine is well and all that can be loaded is."""
        if self.state == "starting":
            seconds = round(self.clock() - self.started_at, 1)
            self.metrics.start_seconds.set(seconds)
            logger.info("ready", extra={"seconds": seconds})
        self.state = "ready"
        self.failures = 0
        self.errors.pop("engine", None)

    async def doubt(self) -> None:
        """Deal with an engine that runs but does not answer."""
        starting = self.state == "starting"
        limit = self.settings.start_seconds if starting else self.settings.silence_seconds
        silent = self.clock() - self.answered_at
        if not starting:
            self.state = "failed"
            self.errors["engine"] = f"vLLM does not answer for {silent:.0f} s"
        if silent > limit:
            await self.bury(f"vLLM did not answer for {silent:.0f} s")

    async def bury(self, reason: str) -> None:
        """Clear away a dead or hung engine and set the time of the next start."""
        if self.child:
            await self.child.kill()
        await self.forget_engine()
        self.fail(reason)

    def fail(self, reason: str) -> None:
        """Note why the engine does not run, and wait longer after each failure."""
        self.state = "failed"
        self.errors["engine"] = reason
        seconds = BACKOFF_SECONDS[min(self.failures, len(BACKOFF_SECONDS) - 1)]
        self.failures += 1
        self.not_before = self.clock() + seconds
        logger.error("engine failed", extra={"reason": reason, "next_start_seconds": seconds})

    async def drain(self) -> None:
        """Refuse new requests and leases, let the open requests end, stop the engine."""
        self.ending = True
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self.stand_in.close()
        await self.finish_engine()

    async def finish_engine(self) -> None:
        """End the engine in order: no new request, open ones end, then the signal."""
        served = self.state != "starting"
        self.state = "draining"
        self.show()
        if self.child and self.sync:
            await end_engine(self.child, self.sync.backend, self.settings, served=served)
        await self.forget_engine()

    async def kill_engine(self) -> None:
        """End the engine at once: somebody asked twice."""
        if self.child:
            await self.child.kill()

    async def forget_engine(self) -> None:
        """Let go of what belonged to an engine that has ended."""
        if self.sync:
            await self.sync.backend.close()
        self.child = self.sync = None
        self.metrics.gate.snapshot = {}
        gate_file(self.settings).unlink(missing_ok=True)

    def show(self) -> None:
        """Bring the metrics up to date."""
        status = self.status
        self.metrics.show(status.state, status.generation, len(status.loaded), len(status.errors))
