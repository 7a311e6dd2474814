"""Publish what a run exported: gate it, describe it, give it its final name in one step."""

import logging
from pathlib import Path

import yaml

from contracts.artefact import GateResult, ModelManifest
from contracts.durable import file_digest, tree_digests
from contracts.identity import now
from contracts.run import EngineVersions
from contracts.volume import MANIFEST
from trainer.bases import TEMPLATE, Bases
from trainer.card import card
from trainer.errors import GateRefusedError
from trainer.parity import failures, gate_result, golden_prompts
from trainer.presets import preset_of
from trainer.runfolder import Ingredients, RunFolder

logger = logging.getLogger(__name__)
CARD = "README.md"
READABLE = 0o644  # safetensors writes 0600; serving may run as another user


def publish(folder: RunFolder, given: Ingredients, bases: Bases) -> ModelManifest:
    """Publish the model of a finished run; a second call finds it published.

    Raises GateRefusedError where the parity gate found a difference; nothing is published then.
    """
    volume = folder.volume
    target = volume.model(folder.run_id)
    if (target / MANIFEST).is_file():
        return volume.model_manifest(folder.run_id)
    staging = volume.staging(target)
    exported = (staging / TEMPLATE).read_text(encoding="utf-8")
    gate = gate_result(folder.export_report(), folder.chat_template(), exported)
    if not gate.passed:
        raise GateRefusedError(
            f"the exported model does not speak as it was trained:\n{failures(gate)}",
            hint="the base's chat_template.jinja must render what training renders",
        )
    (staging / MANIFEST).unlink(missing_ok=True)
    manifest = describe(folder, given, bases, gate)
    text = card(manifest, rows=given.dataset.rows)
    (staging / CARD).write_text(text, encoding="utf-8")
    make_readable(staging)
    # The card first, so that its digest is among the others.
    manifest = manifest.model_copy(update={"files": tree_digests(staging)})
    volume.publish(target, manifest)
    logger.info("model published", extra={"model": manifest.id})
    return manifest


def describe(
    folder: RunFolder, given: Ingredients, bases: Bases, gate: GateResult
) -> ModelManifest:
    """Return the manifest of what lies in the staging folder, its files not listed yet."""
    report, outcome = folder.export_report(), folder.outcome()
    template = folder.volume.staging(folder.volume.model(folder.run_id)) / TEMPLATE
    recipe = yaml.safe_load((folder.path / "recipe.yaml").read_text(encoding="utf-8"))
    return ModelManifest(
        id=folder.run_id,
        name=given.request.name,
        kind="adapter" if given.recipe.header.kind == "adapter" else "base",
        created_at=now(),
        base=bases.reference(given.base),
        run_id=folder.run_id,
        dataset_id=given.dataset.id,
        styles=given.dataset.styles,
        conditioning=given.dataset.conditioning,
        recipe=recipe,
        lora_rank=report["lora_rank"],
        eos_token=report["eos"]["exported"],
        enable_thinking=preset_of(given.base).enable_thinking,
        chat_template_sha256=file_digest(template).sha256,
        files={},
        golden=golden_prompts(report),
        gate=gate,
        engine=EngineVersions.model_validate(folder.rank().get("engine") or {}),
        continues=given.request.continues,
        best_step=outcome.get("best_step") or report.get("step"),
        metrics=outcome.get("metrics") or {},
    )


def make_readable(folder: Path) -> None:
    """Let every user read the files under `folder`."""
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(READABLE)
