"""Train a run with LLaMA-Factory, then measure and export what came out.

    python -m trainer.engine.run <run folder>
    python -m torch.distributed.run --nproc-per-node N -m trainer.engine.run <run folder>

The folder holds `recipe.yaml` (LLaMA-Factory's own arguments, nothing else) and `plan.json` (ours).
Started again after a kill, it goes on from the newest checkpoint that verifies. Exit status 0 with
`outcome.json` saying done, cancelled or failed (1 where several processes trained and it failed);
75 where another engine works on the folder; any other end is a crash, told by the log.
"""

import logging
import os
import sys
from pathlib import Path
from typing import Any

from trainer.engine import checkpoints, stand_in
from trainer.engine.files import RunFiles, read_json, write_atomic
from trainer.engine.occupancy import BUSY, BusyError, Occupancy, write_identity
from trainer.engine.parent import guard
from trainer.engine.ranks import Ranks
from trainer.engine.training import Trained, train

logger = logging.getLogger("trainer.engine")
# torch.OutOfMemoryError on a card; on the processor a plain RuntimeError of the allocator.
MEMORY = ("out of memory", "outofmemoryerror", "can't allocate memory", "cannot allocate memory")

# What the rank file says of the whole run, not of one engine.
CARRIED = ("pace", "totals")


def main(arguments: list[str]) -> int:
    """Run the folder that is named by the one argument; return the exit status."""
    logging.basicConfig(level="INFO", format="%(asctime)s %(name)s %(message)s")
    ranks = Ranks.of(os.environ)
    files = RunFiles(Path(arguments[0]), ranks.rank)
    plan = read_json(files.folder / "plan.json")
    guard(files.folder, plan.get("parent_grace_seconds", 0))
    begin = begun(files, ranks)
    if begin["busy"]:
        logger.error("%s; nothing was touched", begin["busy"])
        return BUSY
    known = {
        "pid": os.getpid(),
        "rank": ranks.rank,
        "world_size": ranks.world_size,
        "engine": {},
        "resumed_from": begin["resume"],
    }
    write_atomic(files.rank, loading(files, known, begin["resume"] or 0))
    if begin["cancelled"]:
        if ranks.first:
            files.finished("cancelled")
        return 0
    stand_in.register()
    return train_and_export(files, plan, known, ranks)


def loading(files: RunFiles, known: dict[str, Any], step: int) -> dict[str, Any]:
    """Return the rank file of a process that loads; what an earlier one summed up stays in it."""
    earlier = read_json(files.rank)
    carried = {name: earlier[name] for name in CARRIED if name in earlier} if earlier else {}
    return {**carried, **known, "stage": "load", "step": step}


def begun(files: RunFiles, ranks: Ranks) -> dict[str, Any]:
    """Return how to begin: {busy, resume, cancelled}. Process 0 finds out, the others hear it."""
    if not ranks.alone:
        stand_in.register()  # torch, which tells and hears, must not load before
    if not ranks.first:
        return ranks.hear()
    begin: dict[str, Any] = {"busy": "", "resume": None, "cancelled": False}
    try:
        occupancy = Occupancy(files.folder)
    except BusyError as error:
        begin["busy"] = str(error)
    else:
        HELD.append(occupancy)
        write_identity(files.engine)
        begin |= {"resume": tidied(files, ranks), "cancelled": files.cancel.exists()}
    ranks.tell(begin)
    return begin


HELD: list[Occupancy] = []  # until this process ends


def tidied(files: RunFiles, ranks: Ranks) -> int | None:
    """Put aside what an earlier engine left half done; return the step to go on from."""
    checkpoints.sweep(files.checkpoints)
    for line in checkpoints.quarantine(files.checkpoints):
        logger.info("quarantined %s", line)
    for path in files.folder.glob("rank-*.json"):
        number = path.stem.removeprefix("rank-")
        if number.isdecimal() and int(number) >= ranks.world_size:
            path.unlink()  # of an engine with more processes
    files.nonfinite.unlink(missing_ok=True)
    found = checkpoints.numbered(files.checkpoints)
    files.rewind(found[0][0] if found else -1)
    return found[0][0] if found else None


def train_and_export(
    files: RunFiles, plan: dict[str, Any], known: dict[str, Any], ranks: Ranks
) -> int:
    """Train, export, and record how it ended; return the exit status."""
    # Imported here: it takes seconds, and torch must not load before the stand-in is there.
    from trainer.engine import devices
    from trainer.engine.saving import StopRequested

    known |= {"engine": versions(), **devices.card(os.environ)}
    write_atomic(files.rank, loading(files, known, known["resumed_from"] or 0))
    try:
        trained = train(files, plan, known, ranks)
    except StopRequested:
        if ranks.first:
            files.finished("cancelled")
        ranks.part()
        return 0
    except Exception as error:
        ending = failure(error)
        if ending is None:
            raise
        code, message, hint = ending
        logger.exception(code)
        # Memory runs out in one process, and the others will be killed: so it has to tell.
        if ranks.first or code == "out_of_memory":
            files.finished("failed", code, message, hint)
        return 0 if ranks.alone else 1
    if ranks.first:
        conclude(files, plan, known, trained)
    return 0


def failure(error: Exception) -> tuple[str, str, str] | None:
    """Return code, message and hint for what can go wrong in a training; None for a bug."""
    from trainer.engine.nonfinite import NonFiniteLossError
    from trainer.engine.storage import StorageFullError

    if isinstance(error, NonFiniteLossError):
        hint = "lower learning_rate, or look for broken rows in the dataset"
        return "non_finite_loss", f"training diverged: {error}", hint
    if isinstance(error, StorageFullError):
        hint = "remove old runs or models; `resume` goes on from the last checkpoint"
        return "storage_full", f"no room for a checkpoint: {error}", hint
    if out_of_memory(error):
        hint = "lower per_device_train_batch_size or cutoff_len; raise gradient_accumulation_steps"
        return "out_of_memory", f"the engine ran out of memory: {error}"[:500], hint
    return None


def out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that a card or the machine has no memory left."""
    text = f"{type(error).__name__}: {error}".lower()
    return isinstance(error, MemoryError) or any(words in text for words in MEMORY)


def conclude(
    files: RunFiles, plan: dict[str, Any], known: dict[str, Any], trained: Trained
) -> None:
    """Measure and export the best checkpoint, and record the end of the run."""
    from trainer.engine.export import export

    good = checkpoints.verified(files.checkpoints)
    chosen = checkpoints.best(good, trained.choose_by)
    rank = read_json(files.rank) | known
    stop = trained.stop and {**trained.stop, "best_step": chosen.step}
    metrics: dict[str, float] = {}
    if plan.get("measure"):
        from trainer.engine.measure import measure

        write_atomic(files.rank, rank | {"stage": "measure"}, durable=False)
        metrics = measure(files, plan, chosen, trained.arguments)
    if chosen.style:
        metrics |= dict(zip(("style_accuracy", "style_margin"), chosen.style, strict=True))
    if plan.get("publish", True):
        write_atomic(files.rank, rank | {"stage": "export"}, durable=False)
        write_atomic(files.export, export(chosen, plan["export"]))
    detail = f"stopped: {stop['reason']}" if stop else ""
    files.event("end", rank["step"], trained.summary, detail)
    notes = list(trained.notes)
    files.finished("done", stop=stop, best_step=chosen.step, metrics=metrics, notes=notes)


def versions() -> dict[str, str]:
    """Return the versions as the engine itself reports them."""
    import torch
    import transformers
    from llamafactory.extras.env import VERSION

    return {
        "llamafactory": VERSION,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
