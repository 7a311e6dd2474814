"""Publish what a run exported: gate it, describe it, give it its final name in one step."""

import logging
from pathlib import Path

import yaml

from contracts.artefact import GateResult, ModelManifest
from contracts.durable import tree_digests
from contracts.identity import now
from contracts.run import EngineVersions
from contracts.volume import MANIFEST
from trainer.bases import TEMPLATE, Bases
from trainer.errors import GateRefusedError
from trainer.parity import failures, gate_result, golden_prompts
from trainer.runfolder import Ingredients, RunFolder

logger = logging.getLogger(__name__)
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
    make_readable(staging)
    manifest = describe(folder, given, bases, gate)
    volume.publish(target, manifest)
    logger.info("model published", extra={"model": manifest.id})
    return manifest


def describe(
    folder: RunFolder, given: Ingredients, bases: Bases, gate: GateResult
) -> ModelManifest:
    """Return the manifest of what lies in the staging folder."""
    report = folder.export_report()
    files = tree_digests(folder.volume.staging(folder.volume.model(folder.run_id)))
    recipe = yaml.safe_load((folder.path / "recipe.yaml").read_text(encoding="utf-8"))
    return ModelManifest(
        id=folder.run_id,
        name=given.request.name,
        kind=given.recipe.header.kind,
        created_at=now(),
        base=bases.reference(given.base),
        run_id=folder.run_id,
        dataset_id=given.dataset.id,
        styles=given.dataset.styles,
        conditioning=given.dataset.conditioning,
        recipe=recipe,
        lora_rank=report["lora_rank"],
        eos_token=report["eos"]["exported"],
        enable_thinking=False,
        chat_template_sha256=files[TEMPLATE].sha256,
        files=files,
        golden=golden_prompts(report),
        gate=gate,
        engine=EngineVersions.model_validate(folder.rank().get("engine") or {}),
    )


def make_readable(folder: Path) -> None:
    """Let every user read the files under `folder`."""
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(READABLE)
