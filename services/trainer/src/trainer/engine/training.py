"""One training with LLaMA-Factory: its arguments, our callbacks, and why it ended."""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from trainer.engine import checkpoints, style_choice
from trainer.engine.files import RunFiles, read_json
from trainer.engine.plateau import Parameters, Plateau
from trainer.engine.ranks import Ranks

logger = logging.getLogger("trainer.engine")


@dataclass(frozen=True)
class Trained:
    """What a training left beside its checkpoints.

    `summary` is the Trainer's own, empty where it was resumed; `stop` as in `outcome.json`, but
    for the best step; `notes` say what was done otherwise than asked.
    """

    arguments: dict[str, Any]
    choose_by: str
    summary: dict[str, float] = field(default_factory=dict)
    stop: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()


def train(files: RunFiles, plan: dict[str, Any], known: dict[str, Any], ranks: Ranks) -> Trained:
    """Run LLaMA-Factory with our callbacks, from the newest checkpoint where there is one.

    Raises StopRequested, NonFiniteLossError, StorageFullError.
    """
    import yaml

    text = (files.folder / "recipe.yaml").read_text(encoding="utf-8")
    arguments: dict[str, Any] = yaml.safe_load(text)
    chosen, notes = chosen_by(plan)
    resume = known["resumed_from"]
    if resume is not None:
        path = files.checkpoints / f"checkpoint-{resume}"
        done, wanted = checkpoints.trained_steps(path)
        stop = stopped(files, resume)
        if stop or done >= wanted:  # resuming here would train one step too many
            return Trained(arguments, chosen, stop=stop, notes=notes)
        arguments["resume_from_checkpoint"] = str(path)
    summary = run(files, plan, known, ranks, arguments, chosen)
    newest = checkpoints.newest_sealed_step(files.checkpoints)
    return Trained(arguments, chosen, summary, stopped(files, newest), notes)


def chosen_by(plan: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Return what makes a checkpoint the best, and a note where it is not what was asked for."""
    asked = str(plan.get("choose_by") or "eval_loss")
    reason = style_choice.unusable(plan) if asked == "style" else ""
    if not reason:
        return asked, ()
    note = f"checkpoints are chosen by eval_loss and not by style: {reason}"
    logger.warning(note)
    return "eval_loss", (note,)


def run(
    files: RunFiles,
    plan: dict[str, Any],
    known: dict[str, Any],
    ranks: Ranks,
    arguments: dict[str, Any],
    chosen: str,
) -> dict[str, float]:
    """Train to the end or to a stop; return the Trainer's own summary."""
    from llamafactory.train.tuner import run_exp

    from trainer.engine import seams
    from trainer.engine.callbacks import Hooks, PlateauStop
    from trainer.engine.progress import Progress
    from trainer.engine.sampling import steady_sampling
    from trainer.engine.saving import VerifiedCheckpoints
    from trainer.engine.speed import Speed

    plateau = Plateau(Parameters.of(plan.get("plateau")))
    progress = Progress(files, known, plateau, ranks, Speed(arguments, read_json(files.rank)))
    keep = VerifiedCheckpoints(
        files,
        plan["keep_checkpoints"],
        reserve=plan.get("reserve_bytes", 0),
        choose_by=chosen,
        score=style_score(plan, arguments) if chosen == "style" else None,
        ranks=ranks,
    )
    stop = PlateauStop(files, plateau, stops=bool(plan.get("plateau")), first=ranks.first)
    name_the_processor(ranks)
    steady_sampling()
    seams.listen(Hooks(progress, keep, ranks))
    # run_exp appends to the list that it is given.
    run_exp(arguments, callbacks=[stop, progress, keep])
    return progress.summary


def name_the_processor(ranks: Ranks) -> None:
    """Have processes that share no card call their device `cpu`.

    accelerate would call it `cpu:0`, under which torch 2.13 cannot load an optimizer's state: a
    run of several processes could not be resumed.
    """
    import torch

    if not ranks.alone and not torch.accelerator.is_available():
        os.environ.setdefault("ACCELERATE_TORCH_DEVICE", "cpu")


def style_score(
    plan: dict[str, Any], arguments: dict[str, Any]
) -> Callable[[Any], tuple[float, float]]:
    """Return what measures a model's style; the rows are tokenized at its first call."""
    probe = plan["style_probe"]

    @cache
    def prepared() -> style_choice.StyleProbe:
        from llamafactory.data import get_template_and_fix_tokenizer
        from llamafactory.hparams import get_infer_args
        from llamafactory.model import load_tokenizer

        names = ("model_name_or_path", "template", "enable_thinking", "trust_remote_code")
        wanted = {name: arguments[name] for name in names if name in arguments}
        model_args, data_args, _, _ = get_infer_args(wanted)
        tokenizer = load_tokenizer(model_args)["tokenizer"]
        template = get_template_and_fix_tokenizer(tokenizer, data_args)
        return style_choice.StyleProbe(probe["rows"], probe["prompts"], template, tokenizer)

    return lambda model: prepared().measure(model)


def stopped(files: RunFiles, step: int) -> dict[str, Any] | None:
    """Return why the run was stopped at `step`, or None if it was not.

    It is read from the events, so that an engine that died afterwards does not train on.
    """
    for event in reversed(files.known_events()):
        if event["kind"] == "stop" and event["step"] == step:
            reason, _, detail = event["detail"].partition(": ")
            saved = int(event["figures"]["saved_steps"])
            return {"reason": reason, "step": step, "saved_steps": saved, "detail": detail}
    return None
