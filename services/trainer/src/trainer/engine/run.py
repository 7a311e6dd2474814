"""Train a run with LLaMA-Factory, then export what came out.

    python -m trainer.engine.run <run folder>

The folder holds `recipe.yaml` (LLaMA-Factory's own arguments, nothing else) and `plan.json` (ours).
Started again after a kill, it goes on from the newest checkpoint that verifies. Exit status 0 with
`outcome.json` saying done, cancelled or failed; any other end is a crash, told by the log.
"""

import logging
import os
import sys
from pathlib import Path
from typing import Any

from trainer.engine import checkpoints, stand_in
from trainer.engine.failpoint import reach
from trainer.engine.files import RunFiles, read_json, write_atomic
from trainer.engine.parent import die_with_parent

logger = logging.getLogger("trainer.engine")


def main(arguments: list[str]) -> int:
    """Run the folder that is named by the one argument; return the exit status."""
    die_with_parent()
    logging.basicConfig(level="INFO", format="%(asctime)s %(name)s %(message)s")
    files = RunFiles(Path(arguments[0]))
    plan = read_json(files.folder / "plan.json")
    checkpoints.sweep(files.checkpoints)
    for line in checkpoints.quarantine(files.checkpoints):
        logger.info("quarantined %s", line)
    known = {"pid": os.getpid(), "engine": {}, "resumed_from": resume_step(files)}
    write_atomic(files.rank, {**known, "stage": "load", "step": known["resumed_from"] or 0})
    if files.cancel.exists():
        files.finished("cancelled")
        return 0
    stand_in.register()
    train_and_export(files, plan, known)
    return 0


def resume_step(files: RunFiles) -> int | None:
    """Return the step of the newest checkpoint, which verifies since the rest is quarantined."""
    found = checkpoints.numbered(files.checkpoints)
    return found[0][0] if found else None


def train_and_export(files: RunFiles, plan: dict[str, Any], known: dict[str, Any]) -> None:
    """Train, export, and record how it ended."""
    # Imported here: each takes seconds, and torch must not load before the stand-in is there.
    from trainer.engine.callbacks import NonFiniteLossError, StopRequested
    from trainer.engine.export import export

    known["engine"] = versions()
    try:
        summary = train(files, plan, known)
    except StopRequested:
        files.finished("cancelled")
    except NonFiniteLossError as error:
        hint = "lower learning_rate, or look for broken rows in the dataset"
        files.finished("failed", "non_finite_loss", f"training diverged: {error}", hint)
    else:
        chosen = checkpoints.best(checkpoints.verified(files.checkpoints))
        rank = read_json(files.rank) | known | {"stage": "export"}
        write_atomic(files.rank, rank, durable=False)
        write_atomic(files.export, export(chosen, plan["export"]))
        files.event("end", rank["step"], summary)
        files.finished("done")


def train(files: RunFiles, plan: dict[str, Any], known: dict[str, Any]) -> dict[str, float]:
    """Run LLaMA-Factory with our callbacks, from the newest checkpoint where there is one.

    Returns the Trainer's own summary; nothing where the training was resumed.
    """
    import yaml
    from llamafactory.train.tuner import run_exp

    from trainer.engine.callbacks import Progress, VerifiedCheckpoints

    arguments = yaml.safe_load((files.folder / "recipe.yaml").read_text(encoding="utf-8"))
    found = checkpoints.numbered(files.checkpoints)
    files.rewind(found[0][0] if found else -1)
    if found:
        done, wanted = checkpoints.trained_steps(found[0][1])
        if done >= wanted:  # resuming here would train one step too many
            return {}
        arguments["resume_from_checkpoint"] = str(found[0][1])
    watch_failpoint()
    keep = VerifiedCheckpoints(files, plan["keep_checkpoints"])
    progress = Progress(files, known)
    run_exp(arguments, callbacks=[progress, keep])  # run_exp appends to the list that it is given
    return progress.summary


def watch_failpoint() -> None:
    """Let `FAILPOINT=ckpt.after_model` die between the weights and the optimizer of a save."""
    if not os.environ.get("FAILPOINT"):
        return
    from transformers import Trainer

    save = Trainer._save_optimizer_and_scheduler

    def reached(self: Any, output_dir: str) -> None:
        reach("ckpt.after_model")
        save(self, output_dir)
        reach("ckpt.after_optimizer")

    Trainer._save_optimizer_and_scheduler = reached


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
