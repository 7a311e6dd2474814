"""Exports: a published model in the form that another program reads, as an artefact of its own.

`adapter` and `merged` are parts of the model; exported, the adapter names its base by name and not
by a path of this machine, and the merged weights have 16 bits. `int8` is quantised. An export is
made once: asked for again, the finished one is the answer.
"""

import asyncio
import json
import logging
import shutil
from pathlib import Path

from contracts.artefact import ModelManifest
from contracts.durable import digest_differences, tree_digests
from contracts.export import ExportManifest, ExportRequest, Form
from contracts.identity import new_id, now
from contracts.job import Job, JobState, Progress
from contracts.volume import MANIFEST, read_document
from kit.errors import InvalidInputError, NotFoundError, StorageFullError
from kit.worker import JobContext, Outcome
from trainer.card import card
from trainer.errors import EngineFailedError, GateRefusedError
from trainer.promote import find_model
from trainer.publish import CARD, make_readable
from trainer.unless import unless
from trainer.workshop import Workshop

logger = logging.getLogger(__name__)
KIND = "export"
QUANTISE = "trainer.engine.quantise"
QUANTISE_SECONDS = 3600.0  # reading and writing is most of it; the starter takes six seconds
MERGED = "merged/"
ADAPTER_CONFIG = "adapter_config.json"


def submit(shop: Workshop, model_id: str, request: ExportRequest, key: str | None) -> Job:
    """Queue an export. Raises NotFoundError, GateRefusedError, InvalidInputError."""
    model = find_model(shop, model_id)
    if request.form == "adapter" and not model.lora_rank:
        raise InvalidInputError(
            f"model {model.id} is a whole model without an adapter",
            field="form",
            hint="ask for 'merged' or 'int8'",
        )
    document = {"model_id": model.id, "form": request.form}
    return shop.exports.submit(KIND, new_id(f"export-{model.name}"), document, key)


def export_id(model_id: str, form: Form) -> str:
    """Return the id of a model's export."""
    return f"{model_id}-{form}"


def find_export(shop: Workshop, name: str) -> ExportManifest:
    """Return the manifest of a finished export. Raises NotFoundError."""
    if name not in shop.volume.published("exports"):
        raise NotFoundError(
            f"there is no export {name[:80]!r}",
            field="id",
            hint="POST /models/{model_id}/exports makes one",
        )
    return read_document(shop.volume.export(name) / MANIFEST, ExportManifest)


class ExportJob:
    """The handler of jobs of kind `export`."""

    def __init__(self, shop: Workshop) -> None:
        self.shop = shop

    async def __call__(self, job: Job, context: JobContext) -> Outcome:
        """Make the export, or find it made; cancelling throws away what there is.

        Raises NotFoundError, GateRefusedError, StorageFullError, EngineFailedError.
        """
        form: Form = ExportRequest.model_validate({"form": job.request["form"]}).form
        model = find_model(self.shop, str(job.request["model_id"]))
        name = export_id(model.id, form)
        target = self.shop.volume.export(name)
        if not (target / MANIFEST).is_file():
            await asyncio.to_thread(self.check, model)
            self.shop.volume.discard(target)  # half of one, from before a kill
            staging = self.shop.volume.staging(target)
            context.progress(Progress(stage=f"write {form}"), force=True)
            made_with = await unless(lambda: context.cancelled, self.make(model, form, staging))
            if made_with is None:
                self.shop.volume.discard(target)
                return Outcome(JobState.CANCELLED)
            context.progress(Progress(stage="publish"), force=True)
            await asyncio.to_thread(self.publish, model, form, made_with)
        return Outcome(result={"export_id": name, "model_id": model.id, "form": form})

    def check(self, model: ModelManifest) -> None:
        """Raise where the model's files are not what was published, or the disk is too full."""
        folder = self.shop.volume.model(model.id)
        if faults := digest_differences(folder, model.files):
            raise GateRefusedError(
                f"model {model.id} is damaged: {faults[0]}",
                field="model_id",
                hint="train it again, or export another model",
            )
        size = sum(each.bytes for each in model.files.values())
        free = shutil.disk_usage(folder).free
        if free < size + self.shop.settings.reserve_bytes:
            raise StorageFullError(
                f"the export needs up to {size >> 20} MB, the volume has {free >> 20} MB free",
                hint="remove old exports or runs, or lower TRAINER_RESERVE_BYTES",
            )

    async def make(self, model: ModelManifest, form: Form, staging: Path) -> str:
        """Fill the staging folder; return the library that quantised, with its version."""
        source = self.shop.volume.model(model.id)
        if form == "adapter":
            await asyncio.to_thread(copy_adapter, source, staging, model)
            return ""
        request = {"source": absolute(source / MERGED), "target": absolute(staging), "form": form}
        try:
            report = await self.shop.engine.ask(QUANTISE, request, QUANTISE_SECONDS)
        except (ValueError, TimeoutError) as error:
            raise EngineFailedError(
                f"the weights could not be written as {form}: {error}",
                hint="the machine may be short of memory; int8 needs 4 bytes for each weight",
            ) from error
        return str(report["made_with"])

    def publish(self, model: ModelManifest, form: Form, made_with: str) -> None:
        """Describe what lies in the staging folder, and give it its name."""
        name = export_id(model.id, form)
        target = self.shop.volume.export(name)
        staging = self.shop.volume.staging(target)
        text = card(model, form=form, made_with=made_with)
        (staging / CARD).write_text(text, encoding="utf-8")
        make_readable(staging)
        manifest = ExportManifest(
            id=name,
            model_id=model.id,
            form=form,
            created_at=now(),
            files=tree_digests(staging),
            made_with=made_with,
        )
        self.shop.volume.publish(target, manifest)
        logger.info("model exported", extra={"model": model.id, "form": form})


def absolute(path: Path) -> str:
    """Return a path as the engine needs it, which may run in another folder."""
    return str(path.resolve())


def copy_adapter(source: Path, staging: Path, model: ModelManifest) -> None:
    """Copy a model's adapter and tokenizer; the adapter names its base as people do."""
    for name in model.files:
        if not name.startswith(MERGED) and name != CARD:
            (staging / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, staging / name)
    config = json.loads((staging / ADAPTER_CONFIG).read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = model.base.name
    text = json.dumps(config, ensure_ascii=False, indent=2, sort_keys=True)
    (staging / ADAPTER_CONFIG).write_text(text + "\n", encoding="utf-8")
