"""Whether an adapter may be loaded: everything that vLLM itself does not look at.

vLLM takes an adapter of another base without a word, and one whose files differ from what was
published; it reads whatever path it is given. So all of that is checked here, before it is asked.
"""

import json
from pathlib import Path, PurePosixPath
from typing import Any

from contracts.artefact import ModelManifest, ServedVersion
from contracts.durable import digest_differences
from contracts.volume import MANIFEST, Volume
from serving.bases import Base
from serving.engine.names import is_name
from serving.errors import AdapterError

ADAPTER_CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
# Nothing that runs and nothing that unpickles: weights, settings, notes, our template.
SUFFIXES = frozenset({".safetensors", ".json", ".txt", ".jinja", ".yaml", ".md"})


def checked_manifest(
    volume: Volume, version: ServedVersion, base: Base, *, max_rank: int
) -> ModelManifest:
    """Return the manifest of a version whose files are fit to be loaded.

    Raises:
        AdapterError: the first thing that is wrong, with what was found and what was expected.
    """
    manifest = read_manifest(volume, version)
    folder = volume.model(version.model_id)
    check_identity(manifest, version, base)
    check_files(folder, manifest)
    check_config(read_config(folder), base, max_rank=max_rank)
    return manifest


def read_manifest(volume: Volume, version: ServedVersion) -> ModelManifest:
    """Return the manifest of a published model. Raises AdapterError."""
    if not is_name(version.served_name):
        raise AdapterError(
            f"{version.served_name!r} cannot be a served name: it is over 63 characters"
        )
    try:
        return volume.model_manifest(version.model_id)
    except FileNotFoundError as error:
        raise AdapterError(f"model {version.model_id} is not published: no {MANIFEST}") from error
    except (OSError, ValueError) as error:
        raise AdapterError(f"{MANIFEST} of model {version.model_id}: {error}"[:500]) from error


def check_identity(manifest: ModelManifest, version: ServedVersion, base: Base) -> None:
    """Raise AdapterError unless the manifest is this model's, of this base, and gated."""
    if manifest.id != version.model_id or manifest.name != version.name:
        found = f"{manifest.name} ({manifest.id})"
        raise AdapterError(f"the manifest is of {found}, asked was {version.model_id}")
    if manifest.kind != "adapter":
        raise AdapterError(f"the model is a {manifest.kind}, not an adapter")
    if not manifest.gate.passed:
        raise AdapterError("the model did not pass the parity gate")
    if manifest.enable_thinking:
        raise AdapterError("the model was trained with thinking on, it is served with thinking off")
    if manifest.base.name != base.name:
        raise AdapterError(f"trained on base {manifest.base.name!r}, served is {base.name!r}")
    if base.weights_sha256 and manifest.base.weights_sha256 != base.weights_sha256:
        raise AdapterError(
            f"trained on weights {manifest.base.weights_sha256[:12]}… of base {base.name!r}, "
            f"served are {base.weights_sha256[:12]}…"
        )
    if manifest.chat_template_sha256 != base.template_sha256:
        raise AdapterError(
            f"trained with chat template {manifest.chat_template_sha256[:12]}…, "
            f"served is {base.template_sha256[:12]}…"
        )


def check_files(folder: Path, manifest: ModelManifest) -> None:
    """Raise AdapterError unless the folder holds just the published files, unchanged."""
    present = {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()
    }
    for name in sorted(present - {MANIFEST} | set(manifest.files)):
        parts = PurePosixPath(name)
        if parts.is_absolute() or ".." in parts.parts:
            raise AdapterError(f"{name!r:.80}: leads out of the model's folder")
        if parts.suffix not in SUFFIXES:
            raise AdapterError(f"{name}: files of this kind are not served")
        if (folder / name).is_symlink():
            raise AdapterError(f"{name}: is a link")
        if name not in manifest.files:
            raise AdapterError(f"{name}: is not in the manifest")
    for needed in (ADAPTER_CONFIG, WEIGHTS):
        if needed not in manifest.files:
            raise AdapterError(f"{needed}: missing in the manifest")
    if differences := digest_differences(folder, manifest.files):
        raise AdapterError("; ".join(differences)[:500])


def read_config(folder: Path) -> dict[str, Any]:
    """Return the adapter's own settings. Raises AdapterError."""
    try:
        config = json.loads((folder / ADAPTER_CONFIG).read_text(encoding="utf-8"))
    except ValueError as error:
        raise AdapterError(f"{ADAPTER_CONFIG}: {error}") from error
    if not isinstance(config, dict):
        raise AdapterError(f"{ADAPTER_CONFIG}: no JSON object")
    return config


def check_config(config: dict[str, Any], base: Base, *, max_rank: int) -> None:
    """Raise AdapterError unless the adapter is a LoRA on `base` that the engine has room for."""
    if (kind := config.get("peft_type")) != "LORA":
        raise AdapterError(f"{ADAPTER_CONFIG}: peft_type is {kind!r}, must be 'LORA'")
    if "auto_map" in config:
        raise AdapterError(f"{ADAPTER_CONFIG}: wants to run code of its own (auto_map)")
    path = str(config.get("base_model_name_or_path"))
    if path != str(base.path) and Path(path).resolve() != base.path:
        raise AdapterError(
            f"{ADAPTER_CONFIG}: base_model_name_or_path is {Path(path).name!r} in another place "
            f"than the served base {base.name!r}; trainer and serving need the same MODELS_DIR"
        )
    ranks = [config.get("r"), *dict(config.get("rank_pattern") or {}).values()]
    for rank in ranks:
        if not isinstance(rank, int) or not 1 <= rank <= max_rank:
            hint = "raise SERVING_MAX_LORA_RANK"
            raise AdapterError(
                f"{ADAPTER_CONFIG}: rank {rank!r}, at most {max_rank} fits", hint=hint
            )
