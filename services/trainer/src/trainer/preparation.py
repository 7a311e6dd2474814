"""Fill a run's folder before its engine starts: rows, chat template, arguments, plan.

Prepared again after a restart, a folder comes out as before: places may have moved, but what the
rows and the card were fitted to once stays, or the run would not go on as it began.
"""

import asyncio
import json
from typing import Any

from contracts.durable import digest_differences
from contracts.run import Fit
from kit.errors import InvalidInputError
from trainer.arguments import Places, engine_arguments, for_device, sharding_arguments
from trainer.bases import TEMPLATE
from trainer.fitting import ask_fit, fitted_arguments, record
from trainer.golden import conversations
from trainer.pacing import paced, plateau_plan
from trainer.preferences import preference_arguments
from trainer.presets import preset_of
from trainer.rows import write_rows
from trainer.runfolder import Ingredients, RunFolder
from trainer.styleprobe import style_probe
from trainer.workshop import Workshop

# What a fit decides (`fitting.fitted_arguments`, `fitting.smaller`).
FITTED = (
    "packing",
    "neat_packing",
    "preprocessing_batch_size",
    "train_sampling_strategy",
    "cutoff_len",
    "per_device_train_batch_size",
    "per_device_eval_batch_size",
    "gradient_accumulation_steps",
    "disable_gradient_checkpointing",
)
MEASURED_TOKENS = 128  # longest reply that is measured; a styled reply is shorter


async def prepare(shop: Workshop, folder: RunFolder, given: Ingredients, known: Fit | None) -> Fit:
    """Write what the engine reads, and return how the run is fitted.

    Args:
        shop: the trainer's tools.
        folder: of the run.
        given: what the request names.
        known: the fit of the run, where it has one already.

    Raises:
        TonesmithError: the dataset is damaged, or no fit was found.
    """
    arguments = await asyncio.to_thread(write_data, folder, given)
    arguments |= sharding_arguments(given.recipe, shop.sharding)
    before, overrides = folder.arguments(), given.request.overrides
    rows = folder.plan().get("train_rows")
    if known and before and rows:
        arguments |= {name: before[name] for name in FITTED if name in before}
    else:
        fitted = await ask_fit(shop.engine, arguments, overrides, settings=shop.settings)
        arguments, known = fitted_arguments(arguments, fitted), record(fitted)
        rows = fitted.lengths.rows
    arguments = for_device(arguments, card=known.card_bytes is not None)
    arguments = paced(arguments, known.rows_per_update, rows, overrides)
    flat = plateau_plan(arguments, known.rows_per_update, rows)
    plan = engine_plan(shop, folder, given)
    plan |= {"train_rows": rows, "plateau": flat if given.request.stop_when_flat else None}
    folder.write_arguments(arguments)
    folder.write("plan.json", json.dumps(plan, ensure_ascii=False, indent=1))
    return known


def write_data(folder: RunFolder, given: Ingredients) -> dict[str, Any]:
    """Write the rows and the chat template; return LLaMA-Factory's arguments, not yet fitted.

    Raises InvalidInputError where the dataset is damaged.
    """
    dataset = folder.volume.dataset(given.dataset.id).resolve()
    if faults := digest_differences(dataset, given.dataset.files):
        raise InvalidInputError(
            f"dataset {given.dataset.id} is damaged: {faults[0]}", field="dataset_id"
        )
    places = Places(base=given.base.path, dataset=dataset, run=folder.path)
    continues = folder.volume.model(given.continues.id).resolve() if given.continues else None
    preset = preset_of(given.base)
    arguments = engine_arguments(
        given.recipe, given.request, given.dataset, places, preset, continues=continues
    )
    folder.path.mkdir(parents=True, exist_ok=True)
    info = write_rows(given, folder, given.request)
    folder.write("dataset_info.json", json.dumps(info, ensure_ascii=False, indent=1))
    if not (folder.path / TEMPLATE).exists():
        folder.write(TEMPLATE, given.base.chat_template)
    if continues:
        arguments |= preference_arguments(given.recipe, given.dataset, given.base.path, continues)
    return dict(arguments)


def engine_plan(shop: Workshop, folder: RunFolder, given: Ingredients) -> dict[str, Any]:
    """Return what LLaMA-Factory does not know: checkpoints, the choice of one, the export."""
    request, settings = given.request, shop.settings
    held_out = given.dataset.rows.get("eval", 0)
    probe = probe_of(folder, given) if request.choose_by == "style" else None
    measured = {"rows": settings.measure_rows, "max_new_tokens": MEASURED_TOKENS}
    return {
        "keep_checkpoints": settings.keep_checkpoints,
        "reserve_bytes": settings.reserve_bytes,
        "choose_by": "style" if probe else "eval_loss",
        "style_probe": probe,
        "measure": measured if settings.measure_rows and held_out else None,
        "publish": request.publish,
        "parent_grace_seconds": settings.grace_seconds,
        "export": export_plan(shop, folder, given),
    }


def export_plan(shop: Workshop, folder: RunFolder, given: Ingredients) -> dict[str, Any]:
    """Return what is exported where, and how its chats are written down."""
    target = folder.volume.model(folder.run_id).resolve()
    preset = preset_of(given.base)
    return {
        "folder": str(target.with_name(f".tmp-{target.name}")),
        "base": str(given.base.path),
        "template": preset.template,
        "chat_template": str(folder.path / TEMPLATE),
        "enable_thinking": preset.enable_thinking,
        "reply_tokens": shop.settings.reply_tokens,
        "golden": conversations(shop.golden, given.dataset.styles),
    }


def probe_of(folder: RunFolder, given: Ingredients) -> dict[str, Any] | None:
    """Return the held-out rows by which checkpoints are compared for style, if there are any."""
    path = folder.volume.dataset(given.dataset.id) / "eval.json"
    if not path.is_file():
        return None
    rows = json.loads(path.read_text(encoding="utf-8"))
    return style_probe(rows, given.dataset.styles, given.dataset.conditioning)
