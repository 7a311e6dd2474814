"""Training runs: the job that drives an engine from a request to a published model.

The run's folder says how far it is, so the job goes on after any crash: of the engine (started
again, as long as each start gets further) or of this service (queued again when it starts, and the
engine, where it still lives, is adopted).
"""

import asyncio
import logging
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

from contracts.errors import ErrorBody
from contracts.identity import now
from contracts.job import Job, JobState
from contracts.volume import MANIFEST
from kit.errors import TonesmithError
from kit.worker import JobContext, Outcome
from trainer.adoption import UNKNOWN, Survivor, adopt, survivor
from trainer.arguments import config_hash
from trainer.backoff import BACK_OFFS, back_off
from trainer.child import log_tail
from trainer.cost import Meter
from trainer.endings import engine_error, last_words
from trainer.engine.checkpoints import newest_sealed_step
from trainer.errors import LeaseLostError, OutOfMemoryError
from trainer.intake import check_space, look_up
from trainer.lease import Hold, held
from trainer.preparation import prepare
from trainer.publish import publish
from trainer.report import Report
from trainer.runfolder import Ingredients, RunFolder, first_record
from trainer.unless import unless
from trainer.workshop import Workshop

logger = logging.getLogger(__name__)
POLL_SECONDS = 0.2
STARTS_WITHOUT_PROGRESS = 3
MODULE = "trainer.engine.run"
CANCELLED: dict[str, Any] = {"state": "cancelled", "error": None}


class Running(Protocol):
    """An engine at work: our child, or one that outlived an earlier service."""

    async def wait(self) -> int:
        """Wait for its end; return its exit status."""
        ...

    async def kill(self) -> None:
        """Kill it and all that it started."""
        ...


class RunJob:
    """The handler of jobs of kind `run`."""

    def __init__(self, shop: Workshop) -> None:
        self.shop = shop

    async def __call__(self, job: Job, context: JobContext) -> Outcome:
        """Run a job to its final state, from wherever its folder says that it is."""
        folder = RunFolder(self.shop.volume, job.id)
        meter = Meter(self.shop.gpus.energy_joules, self.shop.settings.gpu_hour_dollars)
        report = Report(folder, context, first_record(job, folder), meter)
        # It runs still, by its own word: the service died, and nobody has seen how it went on.
        unattended = report.record.state is JobState.RUNNING
        began = report.record.started_at or now()
        report.update(state=JobState.RUNNING, started_at=began, ended_at=None, error=None)
        drive = Drive(self.shop, folder, context, report, unattended)
        try:
            state, error = await drive.to_the_end()
        except TonesmithError as refused:
            state, error = JobState.FAILED, refused.body
        model_id = folder.run_id if state is JobState.DONE and drive.published() else None
        report.update(state=state, error=error, ended_at=now(), model_id=model_id)
        await asyncio.to_thread(self.shop.engine.clear_cache)
        result = {"model_id": model_id} if model_id else {}
        return Outcome(state, result=result, error=error)


@dataclass
class Drive:
    """One handler call: drives the engine to its end, in one life of the service."""

    shop: Workshop
    folder: RunFolder
    context: JobContext
    report: Report
    unattended: bool  # an earlier service died while this ran
    hold: Hold | None = None  # on the GPU, where we do not share it
    survivor: Survivor | None = None  # an engine that trains already
    logged: int = 0  # bytes of the log that earlier engines wrote
    backed_off: int = 0

    @property
    def lost(self) -> str:
        """Why the GPU is ours no more, or nothing."""
        return self.hold.lost if self.hold else ""

    @property
    def unwanted(self) -> bool:
        """Whether the engine should save and stop."""
        return self.context.cancelled or bool(self.lost)

    async def to_the_end(self) -> tuple[JobState, ErrorBody | None]:
        """Train and publish; return the final state and what went wrong. Raises TonesmithError."""
        given = look_up(self.shop, self.report.record.request)
        if not self.published():
            ending = await self.train_alone(given)
            self.report.ended(ending)
            if ending["state"] != "done":
                error = ErrorBody.model_validate(ending["error"]) if ending["error"] else None
                return JobState(ending["state"]), error
        if given.request.publish:
            self.report.show("publish", force=True)
            manifest = await asyncio.to_thread(publish, self.folder, given, self.shop.bases)
            self.report.update(engine=manifest.engine)
        return JobState.DONE, None

    def published(self) -> bool:
        """Return whether the run's model is published."""
        return (self.folder.volume.model(self.folder.run_id) / MANIFEST).is_file()

    async def train_alone(self, given: Ingredients) -> dict[str, Any]:
        """Train with the GPU to ourselves, where that is asked for; return the outcome.

        Raises TonesmithError.
        """
        async with self.gpu() as hold:
            self.hold = hold
            if hold and not hold.granted:
                return CANCELLED
            if ended := await self.take_up():
                return ended
            if not self.survivor and not await self.prepared(given):
                return CANCELLED
            return await self.train(given)

    def gpu(self) -> AbstractAsyncContextManager[Hold | None]:
        """Return the hold on the GPU; nothing where serving runs beside us."""
        if not self.shop.terms:
            return nullcontext()
        self.report.show("waiting for the GPU", force=True)
        return held(self.shop.terms, self.folder.run_id, lambda: self.context.cancelled)

    async def take_up(self) -> dict[str, Any]:
        """Adopt the engine that outlived its service; return its outcome where it has ended."""
        found = survivor(self.shop.engine, self.folder)
        if found and self.shop.terms:  # the GPU was not its own while nobody sent a heartbeat
            await found.kill()
        elif found:
            adopt(self.folder)
            self.survivor = found
            self.report.note("The service was started anew; the engine had gone on meanwhile.")
            logger.info("engine adopted", extra={"run": self.folder.run_id, "pid": found.who.pid})
        elif self.unattended and self.final(outcome := self.folder.outcome()):
            self.report.follow(force=True)
            return outcome
        return {}

    async def prepared(self, given: Ingredients) -> bool:
        """Fit the run and write its folder; return whether it is still wanted. Raises."""
        self.report.show("fit", force=True)
        known = self.report.record.fit
        work = prepare(self.shop, self.folder, given, known)
        fit = await unless(lambda: self.unwanted, work)
        if fit is None:
            self.raise_if_lost()
            return False
        self.report.update(fit=fit, config_hash=config_hash(self.folder.arguments()))
        self.report.show("starting", force=True)
        return True

    async def train(self, given: Ingredients) -> dict[str, Any]:
        """Start the engine until it ends by itself; return its outcome. Raises TonesmithError.

        Killed from outside, it is started again, while each start seals a newer checkpoint; out of
        memory, with smaller micro-batches.
        """
        vain = 0
        while True:
            before = newest_sealed_step(self.folder.checkpoints)
            code = await self.run_engine(given)
            outcome = self.folder.outcome()
            if outcome.get("state") != "done":
                self.raise_if_lost()
            if self.final(outcome):
                return outcome
            if self.context.cancelled:
                return CANCELLED
            code, error = self.fault(code, outcome)
            if isinstance(error, OutOfMemoryError):
                self.go_smaller(error)
                continue
            vain = 0 if newest_sealed_step(self.folder.checkpoints) > before else vain + 1
            if code >= 0 or vain >= STARTS_WITHOUT_PROGRESS:
                raise error
            logger.warning("engine killed; resuming", extra={"run": self.folder.run_id})

    def final(self, outcome: dict[str, Any]) -> bool:
        """Return whether an outcome is the run's own.

        An engine that nobody adopted in time saves and says that it was cancelled, which nobody
        asked for; one that ran out of memory has another try.
        """
        if outcome.get("state") == "cancelled":
            return self.context.cancelled
        return bool(outcome) and not out_of_memory(outcome)

    def fault(self, code: int, outcome: dict[str, Any]) -> tuple[int, TonesmithError]:
        """Return the exit status of an engine that did not come to its end, and the error."""
        root = self.folder.volume.root
        if out_of_memory(outcome):
            return 1, OutOfMemoryError(outcome["error"]["message"])
        if outcome:  # it saved and stopped, since it had no service
            return UNKNOWN, engine_error(UNKNOWN, "", root)
        code, words = last_words(log_tail(self.folder.log, self.logged), code)
        return code, engine_error(code, words, root)

    def go_smaller(self, error: OutOfMemoryError) -> None:
        """Have the next start need less memory. Raises OutOfMemoryError where it cannot."""
        self.backed_off += 1
        if self.backed_off > BACK_OFFS:
            raise error
        fit, said = back_off(self.folder, self.report.record, error)
        self.report.update(fit=fit)
        self.report.note(said)
        logger.warning("out of memory; resuming smaller", extra={"run": self.folder.run_id})

    def raise_if_lost(self) -> None:
        """Raise LeaseLostError where the GPU is ours no more."""
        if self.lost:
            hint = "`resume` goes on from the last checkpoint"
            raise LeaseLostError(f"the GPU is ours no more: {self.lost}", hint=hint)

    async def run_engine(self, given: Ingredients) -> int:
        """Run one engine to its end; kill it when cancelled or when we stop. Raises."""
        adopted, self.survivor = self.survivor, None
        engine = adopted or await self.start_engine(given)
        try:
            code = await self.watch(engine)
        finally:
            await engine.kill()
        self.report.update(exit_code=None if adopted else code)
        return code

    async def start_engine(self, given: Ingredients) -> Running:
        """Start an engine in the run's folder. Raises StorageFullError, EngineMissingError."""
        check_space(self.shop, given)
        self.folder.forget_outcome()
        self.report.update(exit_code=None)
        log = self.folder.log
        self.logged = log.stat().st_size if log.exists() else 0
        return await self.shop.engine.start(MODULE, str(self.folder.path), log=log)

    async def watch(self, engine: Running) -> int:
        """Follow an engine until it ends; cancelled or without the GPU, let it save, then kill."""
        waiting = asyncio.ensure_future(engine.wait())
        clock = asyncio.get_running_loop().time
        deadline = None
        try:
            while not (await asyncio.wait({waiting}, timeout=POLL_SECONDS))[0]:
                self.report.follow()
                if deadline is None and self.unwanted:
                    self.folder.cancel.touch()
                    deadline = clock() + self.shop.settings.cancel_seconds
                if deadline is not None and clock() > deadline:
                    break
            self.report.follow(force=True)
            await engine.kill()
            return await waiting
        finally:
            waiting.cancel()


def out_of_memory(outcome: dict[str, Any]) -> bool:
    """Return whether an engine says that its batch did not fit."""
    return (outcome.get("error") or {}).get("code") == OutOfMemoryError.code
