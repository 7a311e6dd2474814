"""Training runs: the job that drives an engine from a request to a published model.

The run's folder says how far it is, so the job goes on after any crash: of the engine (started
again, as long as each start gets further) or of this service (queued again when it starts).
"""

import asyncio
import logging
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from contracts.errors import ErrorBody
from contracts.identity import now
from contracts.job import Job, JobState, Progress
from contracts.run import EngineVersions, RunRecord
from contracts.volume import MANIFEST
from kit.errors import TonesmithError
from kit.worker import JobContext, Outcome
from trainer.child import kill_group, last_words
from trainer.endings import engine_error
from trainer.engine.checkpoints import newest_sealed_step
from trainer.errors import LeaseLostError
from trainer.intake import check_space, look_up
from trainer.lease import Hold, held
from trainer.publish import publish
from trainer.runfolder import Ingredients, RunFolder, first_record, save
from trainer.workshop import Workshop

logger = logging.getLogger(__name__)
POLL_SECONDS = 0.2
RECORD_SECONDS = 1.0
STARTS_WITHOUT_PROGRESS = 3
MODULE = "trainer.engine.run"
CANCELLED: dict[str, Any] = {"state": "cancelled", "error": None}


class RunJob:
    """The handler of jobs of kind `run`."""

    def __init__(self, shop: Workshop) -> None:
        self.shop = shop

    async def __call__(self, job: Job, context: JobContext) -> Outcome:
        """Run a job to its final state, from wherever its folder says that it is."""
        folder = RunFolder(self.shop.volume, job.id)
        drive = Drive(self.shop, folder, context, first_record(job, folder))
        began = drive.record.started_at or now()
        drive.update(state=JobState.RUNNING, started_at=began, ended_at=None, error=None)
        try:
            state, error = await drive.to_the_end()
        except TonesmithError as refused:
            state, error = JobState.FAILED, refused.body
        model_id = folder.run_id if state is JobState.DONE else None
        drive.update(state=state, error=error, ended_at=now(), model_id=model_id)
        await asyncio.to_thread(self.shop.engine.clear_cache)
        result = {"model_id": model_id} if model_id else {}
        return Outcome(state, result=result, error=error)


@dataclass
class Drive:
    """One handler call: drives the engine, and keeps the record fresh."""

    shop: Workshop
    folder: RunFolder
    context: JobContext
    record: RunRecord
    recorded: float = 0.0
    hold: Hold | None = None  # on the GPU, where we do not share it

    @property
    def lost(self) -> str:
        """Why the GPU is ours no more, or nothing."""
        return self.hold.lost if self.hold else ""

    async def to_the_end(self) -> tuple[JobState, ErrorBody | None]:
        """Train and publish; return the final state and what went wrong. Raises TonesmithError."""
        given = look_up(self.shop, self.record.request)
        if not self.published():
            settings = self.shop.settings.model_dump(include={"keep_checkpoints", "reply_tokens"})
            golden = self.shop.golden
            await asyncio.to_thread(self.folder.prepare, given, golden, settings)
            ending = await self.train_alone(given)
            if ending["state"] != "done":
                error = ErrorBody.model_validate(ending["error"]) if ending["error"] else None
                return JobState(ending["state"]), error
        self.show("publish", force=True)
        manifest = await asyncio.to_thread(publish, self.folder, given, self.shop.bases)
        self.record = self.record.model_copy(update={"engine": manifest.engine})
        return JobState.DONE, None

    def published(self) -> bool:
        """Return whether the model was published before this call."""
        return (self.folder.volume.model(self.folder.run_id) / MANIFEST).is_file()

    async def train_alone(self, given: Ingredients) -> dict[str, Any]:
        """Train with the GPU to ourselves, where that is asked for; return the outcome.

        Raises TonesmithError.
        """
        async with self.gpu() as hold:
            self.hold = hold
            if hold and not hold.granted:
                return CANCELLED
            if hold:
                self.show("starting", force=True)
            return await self.train(given)

    def gpu(self) -> AbstractAsyncContextManager[Hold | None]:
        """Return the hold on the GPU; nothing where serving runs beside us."""
        if not self.shop.terms:
            return nullcontext()
        self.show("waiting for the GPU", force=True)
        return held(self.shop.terms, self.record.id, lambda: self.context.cancelled)

    async def train(self, given: Ingredients) -> dict[str, Any]:
        """Start the engine until it ends by itself; return its outcome. Raises TonesmithError.

        Killed from outside, it is started again, while each start seals a newer checkpoint.
        """
        vain = 0
        while True:
            check_space(self.shop, given)
            before = newest_sealed_step(self.folder.checkpoints)
            code = await self.run_engine()
            outcome = self.folder.outcome()
            if self.lost and outcome.get("state") != "done":
                hint = "`resume` goes on from the last checkpoint"
                raise LeaseLostError(f"the GPU is ours no more: {self.lost}", hint=hint)
            if outcome:
                return outcome
            if self.context.cancelled:
                return CANCELLED
            vain = 0 if newest_sealed_step(self.folder.checkpoints) > before else vain + 1
            if code >= 0 or vain >= STARTS_WITHOUT_PROGRESS:
                raise engine_error(code, last_words(self.folder.log), self.folder.volume.root)
            logger.warning("engine killed; resuming", extra={"run": self.record.id, "code": code})

    async def run_engine(self) -> int:
        """Run one engine process to its end; kill it when cancelled or when we stop."""
        self.folder.forget_outcome()
        path, log = str(self.folder.path), self.folder.log
        process = await self.shop.engine.start(MODULE, path, log=log)
        try:
            return await self.watch(process)
        finally:
            await kill_group(process)

    async def watch(self, process: asyncio.subprocess.Process) -> int:
        """Follow a process until it ends; cancelled or without the GPU, let it save, then kill."""
        waiting = asyncio.ensure_future(process.wait())
        clock = asyncio.get_running_loop().time
        deadline = None
        while not (await asyncio.wait({waiting}, timeout=POLL_SECONDS))[0]:
            self.follow(process.pid)
            if deadline is None and (self.context.cancelled or self.lost):
                self.folder.cancel.touch()
                deadline = clock() + self.shop.settings.cancel_seconds
            if deadline is not None and clock() > deadline:
                break
        self.follow(process.pid, force=True)
        await kill_group(process)
        return await waiting

    def follow(self, pid: int, *, force: bool = False) -> None:
        """Take over what the engine says of itself, if it is this process that says it."""
        rank = self.folder.rank()
        if rank.get("pid") != pid:
            return
        figures = rank.get("figures") or {}
        resumed = rank.get("resumed_from")
        known = self.record.resumed_from
        changes = {
            "step": rank["step"],
            "max_steps": rank.get("max_steps") or self.record.max_steps,
            "loss": figures.get("loss", self.record.loss),
            "eval_loss": figures.get("eval_loss", self.record.eval_loss),
            "engine": EngineVersions.model_validate(rank.get("engine") or self.record.engine),
            "resumed_from": known if resumed is None or resumed in known else [*known, resumed],
        }
        self.record = self.record.model_copy(update=changes)
        self.show(rank["stage"], figures, force=force)
        clock = asyncio.get_running_loop().time()
        if force or clock - self.recorded >= RECORD_SECONDS:
            self.recorded = clock
            save(self.folder, self.record)

    def show(
        self, stage: str, figures: dict[str, float] | None = None, *, force: bool = False
    ) -> None:
        """Show the job's progress."""
        done, total = self.record.step, self.record.max_steps
        shown = Progress(stage=stage, done=done, total=total, figures=figures or {})
        self.context.progress(shown, force=force)

    def update(self, **changes: Any) -> None:
        """Change the record and write it."""
        self.record = self.record.model_copy(update=changes)
        save(self.folder, self.record)
