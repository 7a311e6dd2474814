"""What a run tells while it goes on: its record on the volume, and its job's progress."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from contracts.job import Progress
from contracts.run import EngineVersions, Fit, RunRecord, Stop
from kit.worker import JobContext
from trainer.cost import Meter, gpus_of
from trainer.runfolder import RunFolder, save

RECORD_SECONDS = 1.0


class Report:
    """Keeps a run's record fresh from what its engine says.

    Args:
        folder: of the run.
        context: of its job.
        record: as it is now.
        meter: measures what the run takes of its GPUs.
    """

    def __init__(
        self,
        folder: RunFolder,
        context: JobContext,
        record: RunRecord,
        meter: Meter | None = None,
    ) -> None:
        self.folder = folder
        self.context = context
        self.record = record
        self.meter = meter or Meter()
        self._saved = 0.0

    def follow(self, *, force: bool = False) -> None:
        """Take over what the ranks say, where it is the newest engine that says it."""
        ranks = self.folder.ranks()
        engine = self.folder.engine_process().get("pid")
        if not ranks or engine is None or ranks[0].get("pid") != engine:
            self.meter.take(())
            return
        figures = numbers(ranks[0].get("figures"))
        spent = self.meter.changes(self.record, gpus_of(ranks))
        self.record = self.record.model_copy(update=changes(self.record, ranks, figures) | spent)
        self.show(str(ranks[0].get("stage", "")), figures, force=force)
        if force or time.monotonic() - self._saved >= RECORD_SECONDS:
            self._saved = time.monotonic()
            save(self.folder, self.record)

    def show(
        self, stage: str, figures: Mapping[str, float] | None = None, *, force: bool = False
    ) -> None:
        """Show the job's progress."""
        done, total = self.record.step, self.record.max_steps
        shown = Progress(stage=stage, done=done, total=total, figures=dict(figures or {}))
        self.context.progress(shown, force=force)

    def update(self, **values: Any) -> None:
        """Change the record and write it."""
        self.record = self.record.model_copy(update=values)
        save(self.folder, self.record)

    def note(self, sentence: str) -> None:
        """Add a sentence on what the run had to do differently, once."""
        if sentence not in self.record.notes:
            self.update(notes=[*self.record.notes, sentence])

    def ended(self, outcome: Mapping[str, Any]) -> None:
        """Take over how the engine ended: why it stopped, what it measured and had to change."""
        stop = outcome.get("stop")
        for sentence in outcome.get("notes") or []:
            self.note(str(sentence))
        self.update(
            stop=Stop.model_validate(stop) if stop else None,
            best_step=outcome.get("best_step") or self.record.best_step,
            metrics=numbers(outcome.get("metrics")) or self.record.metrics,
        )


def changes(
    record: RunRecord, ranks: Sequence[Mapping[str, Any]], figures: Mapping[str, float]
) -> dict[str, Any]:
    """Return what the words of the ranks, the first one first, change in a run's record."""
    first = ranks[0]
    resumed, known = first.get("resumed_from"), record.resumed_from
    return {
        "step": first.get("step", record.step),
        "max_steps": first.get("max_steps") or record.max_steps,
        "loss": figures.get("loss", record.loss),
        "eval_loss": figures.get("eval_loss", record.eval_loss),
        "engine": EngineVersions.model_validate(first.get("engine") or record.engine),
        "resumed_from": known if resumed is None or resumed in known else [*known, resumed],
        "world_size": first.get("world_size") or record.world_size,
        "fit": measured(record.fit, ranks),
    }


def measured(fit: Fit | None, ranks: Sequence[Mapping[str, Any]]) -> Fit | None:
    """Return the fit with the largest peak of memory that any rank has told of, in bytes.

    Reserved, not allocated: what the allocator holds is what the card cannot give to others.
    """
    peaks = [numbers(rank.get("figures")).get("memory_peak_reserved_bytes") for rank in ranks]
    known = [int(peak) for peak in peaks if peak]
    if not fit or not known:
        return fit
    return fit.model_copy(update={"measured_bytes": max([*known, fit.measured_bytes or 0])})


def numbers(figures: Any) -> dict[str, float]:
    """Return the entries of a mapping that are numbers."""
    items = figures.items() if isinstance(figures, Mapping) else ()
    return {
        str(key): value
        for key, value in items
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
